// The explorer: choices, two sliders, and the pictures and numbers that follow them.
(() => {
  "use strict";

  const PAUSE = 700;  // milliseconds that each step is shown while it plays

  const spaced = number => String(number).replace(/\B(?=(\d{3})+$)/g, "\u2009");
  const rounded = number => (number === null ? "–" : number.toFixed(number < 0.0995 ? 3 : 2));
  const mean = values => (values.includes(null) ? null : values.reduce((sum, value) => sum + value, 0) / values.length);

  // One sheet of pictures, decoded when it is first wanted.
  const sheet = encoded => {
    let decoded;
    return () => (decoded ??= (async () => {
      const image = new Image();
      image.src = `data:image/webp;base64,${encoded}`;
      await image.decode();
      return image;
    })());
  };

  function start(root) {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const references = sheet(data.references), initial = sheet(data.initial);
    const runs = data.runs.map(run => ({...run, pictures: sheet(run.pictures)}));
    const find = selector => root.querySelector(selector);
    const chosen = choice => Number(find(`[data-choice="${choice}"] input:checked`).value);
    const steps = find(".explorer-steps input"), wipe = find(".explorer-wipe"), play = find(".explorer-play");
    const [width, height] = data.size;

    const draw = (canvas, image, column, row) => {
      canvas.width = width;  // clears it, too
      canvas.height = height;
      canvas.getContext("2d").drawImage(image, column * width, row * height, width, height, 0, 0, width, height);
    };
    const describe = (canvas, words) => canvas.setAttribute("aria-label", words);

    // The image after some step of a run: where it stands, as [sheet, column, row].
    const place = async (run, step, category) =>
      step === 0 ? [await initial(), category, 0] : [await run.pictures(), step - 1, category];

    let latest = 0;
    async function show() {
      const order = ++latest;
      const run = runs[chosen("set") * data.stages.length + chosen("stage")], category = chosen("category");
      const step = Number(steps.value), name = data.categories[category];
      const frames = await Promise.all(run.updates.map((_, index) => place(run, index, category)));
      const sources = await references();
      if (order !== latest) return;  // another choice was made meanwhile

      const when = step === 0 ? "before the first update" : `after ${spaced(run.updates[step])} updates`;
      const [over, under] = [find(".explorer-wipe canvas + canvas"), find(".explorer-wipe canvas")];
      for (const canvas of [find(".explorer-reference"), over]) draw(canvas, sources, category, 0);
      for (const canvas of [find(".explorer-metamer"), under]) draw(canvas, ...frames[step]);
      describe(find(".explorer-reference"), `Reference: ${name}`);
      describe(find(".explorer-metamer"), `Metamer of the ${name} for ${run.set}, ${run.stage}, ${when}`);
      find(".explorer-category").textContent = name;
      find(".explorer-when").textContent = when;

      const judged = run.recognized?.map(counts => counts[category]);
      root.querySelectorAll(".explorer-frame").forEach((frame, index) => {
        draw(frame.querySelector("canvas"), ...frames[index]);
        const [updates, verdict] = frame.querySelectorAll("span");
        updates.textContent = spaced(run.updates[index]);
        verdict.textContent = judged ? `${judged[index]}/${run.evaluators}` : "";
        frame.classList.toggle("chosen", index === step);
      });
      tell(run, category, step, judged?.[step], when);
    }

    // Say and draw what is measured at a step.
    function tell(run, category, step, count, when) {
      const residuals = run.residuals[step][category];
      const most = Math.max(...run.residuals.flatMap(all => all[category]));
      const bold = words => Object.assign(document.createElement("b"), {textContent: words});
      const said = [`${when[0].toUpperCase()}${when.slice(1)} of ${spaced(run.updates.at(-1))}: residual `,
        bold(rounded(mean(residuals)))];
      if (residuals.length > 1) said.push(`, the mean over ${residuals.length} networks`);
      if (count !== undefined) {
        said.push("; recognized by ", bold(`${count} of ${run.evaluators}`), " networks that had no part in it");
      }
      find(".explorer-said").replaceChildren(...said, ".");
      const rows = run.models.map((model, index) => bar(model, residuals[index] / most, rounded(residuals[index])));
      if (count !== undefined) {
        rows.push(bar("recognized by", count / run.evaluators, `${count} / ${run.evaluators}`));
        rows.at(-1).className = "explorer-judged";
      }
      find(".explorer-bars").replaceChildren(...rows);
      steps.setAttribute("aria-valuetext", `${when}, residual ${rounded(mean(residuals))}`);
    }

    function bar(name, share, value) {
      const row = find(".explorer-row").content.firstElementChild.cloneNode(true);
      row.children[0].textContent = name;
      row.children[1].style.setProperty("--share", Math.min(1, share || 0));
      row.children[2].textContent = value;
      return row;
    }

    let timer;
    function stop() {
      clearInterval(timer);
      timer = undefined;
      play.textContent = "Play";
    }
    function advance() {
      if (steps.value === steps.max) return stop();
      steps.value = Number(steps.value) + 1;
      show();
    }

    play.addEventListener("click", () => {
      if (timer !== undefined) return stop();
      if (steps.value === steps.max) steps.value = 0;
      play.textContent = "Pause";
      timer = setInterval(advance, PAUSE);
      show();
    });
    steps.addEventListener("input", () => { stop(); show(); });
    root.addEventListener("change", event => { if (event.target.type === "radio") show(); });
    root.querySelectorAll(".explorer-frame").forEach((frame, index) => frame.addEventListener("click", () => {
      stop();
      steps.value = index;
      show();
    }));
    wipe.querySelector("input").addEventListener("input", event => {
      wipe.style.setProperty("--wipe", `${event.target.value}%`);
      event.target.setAttribute("aria-valuetext", `reference on the left ${event.target.value} %`);
    });

    references().then(image => root.querySelectorAll(".explorer-thumb").forEach((canvas, index) => {
      draw(canvas, image, index, 0);
    }));
    show().then(() => { root.dataset.ready = "true"; });
  }

  document.querySelectorAll(".metamer-explorer:not([data-started])").forEach(root => {
    root.dataset.started = "true";
    start(root);
  });
})();
