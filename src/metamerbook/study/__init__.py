"""What a paper's chapters share: settings, networks, the study itself, who recognizes what, published numbers."""
