// What pages do beyond being read: times on the viewer's clock, live progress, and the buttons.
// Texts from the server only ever become text, never HTML.
"use strict";
(() => {
  document.documentElement.classList.add("js");
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, content = "", properties = {}) => {
    const element = Object.assign(document.createElement(tag), properties);
    if (Array.isArray(content)) element.append(...content.filter(Boolean)); else element.textContent = content;
    return element;
  };
  const number = (value) => Number(value).toLocaleString("en-US");

  // Times.
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const span = (seconds) => {
    const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const index = Math.max(0, parts.findIndex(([size]) => seconds >= size));
    if (seconds < 1) return "0 s";
    const [size, unit] = parts[index];
    const first = Math.floor(seconds / size);
    const next = parts[index + 1];
    const rest = next ? Math.floor((seconds - first * size) / next[0]) : 0;
    return rest ? `${first} ${unit} ${rest} ${next[1]}` : `${first} ${unit}`;
  };
  const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
  const tellTimes = (root = document) => {
    for (const [name, format] of [["clock", hour], ["date", clock]]) {
      for (const text of all(`[data-${name}]`, root)) {
        if (text.dataset[name]) text.textContent = format.format(new Date(text.dataset[name]));
      }
    }
    for (const time of all("time[datetime]", root)) {
      const instant = new Date(time.dateTime);
      if (isNaN(instant)) continue;
      time.title = time.dateTime.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
      if (time.dataset.relative === undefined) { time.textContent = clock.format(instant); continue; }
      const seconds = (instant - Date.now()) / 1000;
      time.textContent = seconds >= 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
    }
  };
  setInterval(() => { if (!document.hidden && $("time[data-relative]")) tellTimes(); }, 1000);

  // Asking.
  const notice = (text, kind = "bad") => {
    const place = $("#notice");
    if (place) place.replaceChildren(make("p", text, { className: `note ${kind}` }));
  };
  const ask = async (method, path, body, headers = {}) => {
    const options = { method, headers: { ...headers } };
    if (method !== "GET") {
      options.headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body ?? {});
    }
    const response = await fetch(path, options);
    const text = await response.text();
    let document = {};
    try { document = text ? JSON.parse(text) : {}; } catch { document = { detail: text }; }
    if (!response.ok) {
      const error = new Error(document.detail || document.error || `the server answered ${response.status}`);
      throw Object.assign(error, { status: response.status, problem: document });
    }
    return document;
  };
  const etag = () => document.body.dataset.etag;

  // Dialogs: each resolves to the value of the button that was pressed.
  const dialog = (title, content, buttons) => new Promise((resolve) => {
    const box = make("dialog");
    const row = make("div", "", { className: "actions" });
    for (const [value, label, kind] of buttons) {
      const button = make("button", label, { type: "button", className: kind || "" });
      button.addEventListener("click", () => box.close(value));
      row.append(button);
    }
    const heading = make("h2", title, { id: "dialog-title" });
    box.setAttribute("aria-labelledby", "dialog-title");
    box.append(heading, ...content, row);
    box.addEventListener("close", () => { box.remove(); resolve(box.returnValue || "no"); });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.tagName === "INPUT") { event.preventDefault(); box.close(buttons.at(-1)[0]); }
    });
    document.body.append(box);
    box.showModal();
  });
  const field = (label, value, properties = {}) => {
    const id = `field-${Math.floor(performance.now() * 1000)}`;
    const input = make("input", "", { id, value, ...properties });
    return [make("label", label, { htmlFor: id }), input];
  };

  // Changing the file: the lines are shown before anything is written.
  const change = async (task, title, edits) => {
    const path = `/api/v1/tasks/${encodeURIComponent(task)}`;
    const match = { "If-Match": `"${etag()}"` };
    const plan = await ask("PATCH", `${path}?dry_run=true`, edits, match);
    if (!plan.diff.length) { notice("It is so already: nothing to change.", "good"); return; }
    const lines = plan.diff.flatMap((part) => [
      ...part.removed.map((text, index) => make("div", `${part.line + index} - ${text}`, { className: "gone" })),
      ...part.added.map((text, index) => make("div", `${part.line + index} + ${text}`, { className: "new" })),
    ]);
    const content = [
      make("p", "This changes the file:"),
      make("div", lines, { className: "diff code" }),
      ...plan.warnings.map((text) => make("p", text, { className: "note warn" })),
    ];
    if (await dialog(title, content, [["no", "Leave it"], ["yes", "Write it", "main"]]) !== "yes") return;
    const written = await ask("PATCH", path, edits, match);
    await inForce(written.etag);
    location.reload();
  };
  // The host reads the file again by itself, a moment after it was written.
  const inForce = async (wanted) => {
    for (let look = 0; look < 60; look += 1) {
      const status = await ask("GET", "/api/v1/config");
      if (status.etag === wanted || status.errors.length) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };

  const started = (run) => { location.href = `/runs/${run.run_id}`; };
  const actions = {
    async preview({ task }) { started(await ask("POST", `/api/v1/tasks/${task}/preview?wait=true`)); },
    async run({ task, previews }) {
      const text = previews !== undefined
        ? "Nothing has shown yet what this run would do. A preview shows it, and has a button to run it."
        : "This task has no preview.";
      const buttons = [["no", "Cancel"], ["run", "Run now", previews !== undefined ? "danger" : "main"]];
      if (previews !== undefined) buttons.push(["preview", "Preview first", "main"]);
      const answer = await dialog(`Run ${task}?`, [make("p", text)], buttons);
      if (answer === "preview") await actions.preview({ task });
      if (answer === "run") started(await ask("POST", `/api/v1/tasks/${task}/run`));
    },
    // Bound to the preview: where the data moved since, the server says so and this asks again.
    async agree({ task, preview, override }) {
      const body = { preview };
      if (override !== undefined) {
        const text = "The guard would refuse this run, since it removes more of a table than it allows. Run it all the same?";
        const buttons = [["no", "Cancel"], ["yes", "Run against the guard", "danger"]];
        if (await dialog("Against the guard", [make("p", text)], buttons) !== "yes") return;
        body.override_guard = true;
      }
      try {
        started(await ask("POST", `/api/v1/tasks/${task}/run`, body));
      } catch (error) {
        if (error.problem?.code !== "moved") throw error;
        const rows = error.problem.preview.tables.filter((table) => table.deleted)
          .map((table) => make("li", `${table.table}: ${number(table.deleted)}`));
        const content = [make("p", error.message), make("p", "A run would now remove:"), make("ul", rows)];
        const buttons = [["no", "Cancel"], ["look", "See the new preview"], ["yes", "Run with these numbers", "main"]];
        const answer = await dialog("The data moved", content, buttons);
        if (answer === "look") location.href = `/runs/${error.problem.run_id}`;
        if (answer === "yes") await actions.agree({ task, preview: error.problem.run_id, override });
      }
    },
    async enable({ task }) { await change(task, `Enable ${task}`, { enabled: true }); },
    async disable({ task }) { await change(task, `Disable ${task}`, { enabled: false }); },
    async edit({ task, key, value }) {
      const [label, input] = field(key, value, { className: "code", autofocus: true });
      const buttons = [["no", "Cancel"], ["yes", "Show the change", "main"]];
      if (await dialog(`${task}: ${key}`, [label, input], buttons) !== "yes") return;
      const parts = key.split(".");
      let edits = input.value === "" ? null : input.value;
      if (/^(true|false|\d+)$/.test(input.value)) edits = JSON.parse(input.value);
      for (const part of parts.reverse()) edits = { [part]: edits };
      await change(task, `Change ${key}`, edits);
    },
    async pause({ task }) {
      const duration = field("For how long? Nothing means until somebody resumes it.", "2h", { autofocus: true });
      const why = field("Why?", "");
      const buttons = [["no", "Cancel"], ["yes", "Pause", "main"]];
      if (await dialog(`Pause ${task}`, [...duration, ...why], buttons) !== "yes") return;
      const body = { why: why[1].value };
      if (duration[1].value.trim()) body.for = duration[1].value.trim();
      await ask("POST", `/api/v1/tasks/${task}/pause`, body);
      location.reload();
    },
    async resume({ task }) { await ask("POST", `/api/v1/tasks/${task}/resume`); location.reload(); },
    async cancel({ run }) { await ask("POST", `/api/v1/runs/${run}/cancel`); notice("Asked it to stop.", "good"); },
    async logout() { await ask("POST", "/logout"); location.href = "/login"; },
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-action]");
    if (!button) return;
    button.disabled = true;
    try { await actions[button.dataset.action]?.(button.dataset); }
    catch (error) {
      notice(error.problem?.code === "changed_meanwhile" ? `${error.message}; this page shows it after a reload.` : error.message);
    }
    finally { button.disabled = false; }
  });

  // A picture that is wider than its place begins with now in its middle, and stays where it was scrolled to.
  const places = () => all(".scroll").map((box) => box.scrollLeft);
  const showNow = (kept = []) => {
    for (const [index, box] of all(".scroll").entries()) {
      const now = $(".now", box);
      if (index in kept) box.scrollLeft = kept[index];
      else if (now) box.scrollLeft += now.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 2;
    }
  };

  // A run while it works.
  const follow = (live) => {
    const source = new EventSource(`/api/v1/runs/${live.dataset.live}/events`);
    const began = Date.parse(live.dataset.began) || Date.now();
    source.addEventListener("progress", (event) => {
      const data = JSON.parse(event.data);
      $("progress", live).value = data.percent;
      $(".percent", live).textContent = `${data.percent} %`;
      $(".message", live).textContent = data.message;
      const rows = data.tables.reduce((sum, table) => sum + table.deleted, 0);
      const seconds = Math.max(0.5, (Date.now() - began) / 1000);
      $(".rate", live).textContent = rows ? `${number(rows)} rows, ${number(Math.round(rows / seconds))} rows/s` : "";
      const entries = data.tables.length ? data.tables.map((table) => [table.table, table.deleted]) : Object.entries(data.counts);
      $(".far", live).hidden = !entries.length;
      $("tbody", live).replaceChildren(...entries.map(([name, count]) =>
        make("tr", [make("th", name, { scope: "row" }), make("td", number(count), { className: "number" })])));
    });
    source.addEventListener("log", (event) => {
      const data = JSON.parse(event.data);
      $(".log", live).append(make("li", data.message, { className: data.level === "error" ? "bad" : "" }));
    });
    source.addEventListener("run", (event) => {
      // The stream begins with what the page knows already; only its beginning is news.
      if (JSON.parse(event.data).status === "running" && live.dataset.status === "queued") location.reload();
    });
    source.addEventListener("end", () => { source.close(); location.reload(); });
  };
  const live = $("[data-live]");
  if (live) follow(live);

  // Where the keyboard is, in a way that outlives the element: the same button, or the same link of several.
  const focusOf = (element) => {
    const [name, value] = element?.dataset?.focus ? ["data-focus", element.dataset.focus] : ["href", element?.getAttribute?.("href")];
    if (!value) return undefined;
    const selector = `main [${name}="${CSS.escape(value)}"]`;
    return { selector, index: all(selector).indexOf(element) };
  };

  // Lists stay true while they are looked at.
  if (document.body.dataset.fresh !== undefined) {
    let waiting;
    let latest = Promise.resolve();
    const refresh = async () => {
      if ($("dialog") || document.hidden) return;
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const [focus, kept] = [focusOf(document.activeElement), places()];
      $("main").replaceChildren(...$("main", page).childNodes);
      document.body.dataset.etag = page.body.dataset.etag;
      tellTimes();
      showNow(kept);
      if (focus) all(focus.selector)[focus.index]?.focus();
    };
    // One after the other: an answer that comes late must not replace a newer one.
    const next = () => {
      waiting = undefined;
      latest = latest.then(refresh).catch((error) => console.warn(`the page can't be brought up to date: ${error}`));
    };
    const soon = () => { waiting ??= setTimeout(next, 400); };
    const source = new EventSource("/api/v1/events");
    // What happened before the stream was open is on no event.
    for (const kind of ["open", "run", "end"]) source.addEventListener(kind, soon);
    source.addEventListener("log", (event) => { if (!JSON.parse(event.data).run_id) soon(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  }
  tellTimes();
  showNow();
})();
