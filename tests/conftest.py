"""By being here this file puts the tests' folder on the path, so that every room can ``from oracles import ...``."""
