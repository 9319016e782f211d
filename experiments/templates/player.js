"use strict";
// Texts of the traced programs enter the page as textContent, never as markup.

function element(tag, props = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
}

class Player {
  constructor(root) {
    this.episodes = JSON.parse(document.getElementById(root.dataset.from).textContent);
    this.step = 0;
    this.wanted = "open";
    this.pick = element("select", { ariaLabel: "call", onchange: () => this.show(0) });
    this.episodes.forEach((each, i) => this.pick.append(new Option(`${i + 1}. ${each.title}`, i)));
    this.modes = element("span", { role: "group", ariaLabel: "mode" });
    this.back = this.button("◀", "previous step", () => this.show(this.step - 1));
    this.forth = this.button("▶", "next step", () => this.show(this.step + 1));
    this.wrong = this.button("next mistake", "go to the next wrong step", () => this.seek());
    this.slider = element("input", { type: "range", min: 0, ariaLabel: "step" });
    this.slider.oninput = () => this.show(Number(this.slider.value));
    this.where = element("span", { className: "where", ariaLive: "polite" });
    this.strip = element("div", { className: "strip" });
    this.code = element("ol", { className: "code" });
    this.locals = element("table", { className: "locals" });
    root.append(
      element("div", { className: "top" }, this.pick, this.modes),
      element("div", { className: "steps" }, this.back, this.slider, this.forth, this.wrong, this.where),
      this.strip,
      element("div", { className: "stage" }, this.code, element("div", {}, this.locals)),
    );
    root.addEventListener("keydown", (event) => this.key(event));
    root.hidden = false;
    this.show(0);
  }

  button(text, title, onclick) {
    return element("button", { type: "button", textContent: text, title, ariaLabel: title, onclick });
  }

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    const taken = event.target === this.slider || event.target === this.pick;
    if (!(event.key in moves) || taken || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.show(this.step + moves[event.key]);
  }

  show(step) {
    const { modes } = this.episodes[this.pick.value];
    const names = Object.keys(modes);
    const name = names.includes(this.wanted) ? this.wanted : names[0];
    const changed = this.mode !== modes[name];
    this.mode = modes[name];
    const last = this.mode.steps.length - 1;
    this.step = Math.max(0, Math.min(step, last));
    if (changed) {
      this.slider.max = last;
      this.drawModes(names, name);
      this.drawStrip();
      this.drawCode();
    }
    this.slider.value = this.step;
    this.back.disabled = this.step === 0;
    this.forth.disabled = this.step === last;
    this.wrong.disabled = this.mode.right.every((right) => right);
    this.where.textContent = this.place(last);
    this.light();
    this.drawLocals(last);
  }

  place(last) {
    const { kinds, lines, cut } = this.mode;
    const more = cut ? ` (and ${cut} more)` : "";
    const kind = kinds[this.step] === "line" ? "" : ` · ${kinds[this.step]}`;
    return `step ${this.step} of ${last}${more} · line ${lines[this.step]}${kind}`;
  }

  seek() {
    const { right } = this.mode;
    const after = right.indexOf(false, this.step + 1);
    this.show(after < 0 ? right.indexOf(false) : after);
  }

  drawModes(names, chosen) {
    const choose = (name) => () => {
      this.wanted = name;
      this.show(this.step);
    };
    const buttons = names.map((name) => {
      const made = this.button(name, `mode ${name}`, choose(name));
      made.ariaPressed = String(name === chosen);
      return made;
    });
    this.modes.replaceChildren(...buttons);
  }

  drawStrip() {
    const cells = this.mode.right.map((right, i) => {
      const className = right ? (i ? "" : "given") : "bad";
      const title = `step ${i}: ${right ? (i ? "right" : "given") : "wrong"}`;
      return element("i", { className, title, onclick: () => this.show(i) });
    });
    this.strip.replaceChildren(...cells);
  }

  // The source as far as it ran: every statement that was executed, at its line.
  drawCode() {
    const { lines, statements } = this.mode;
    const texts = new Map(lines.map((line, i) => [line, statements[i]]));
    const ordered = [...texts].sort(([one], [other]) => one - other);
    this.places = new Map();
    let next = ordered.length ? ordered[0][0] : 0;
    const items = [];
    for (const [line, text] of ordered) {
      if (line > next) items.push(element("li", { className: "gap" }, element("b", {}, "⋯")));
      const item = element("li", {}, element("b", {}, String(line)), element("span", {}, text));
      this.places.set(line, item);
      items.push(item);
      next = line + text.split("\n").length;
    }
    this.code.replaceChildren(...items);
  }

  light() {
    for (const [line, item] of this.places) {
      const now = line === this.mode.lines[this.step];
      item.classList.toggle("now", now);
      if (now) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      if (now) this.code.scrollTop = item.offsetTop - this.code.offsetTop - this.code.clientHeight / 2;
    }
    [...this.strip.children].forEach((cell, i) => cell.classList.toggle("here", i === this.step));
  }

  drawLocals(last) {
    const before = new Map((this.mode.steps[this.step - 1] ?? []).map(([name, value]) => [name, value]));
    const rows = this.mode.steps[this.step].map(([name, value, ...other]) => {
      const row = this.row(name, value, other.length ? other[0] : value, other.length > 0);
      row.cells[0].classList.toggle("new", this.step > 0 && before.get(name) !== value);
      return row;
    });
    if (!rows.length) rows.push(element("tr", {}, element("td", { colSpan: 3, className: "unbound" }, "no locals")));
    const head = ["name", "true", "imagined"].map((text) => element("th", { scope: "col" }, text));
    const foot = element("tfoot");
    const [value, imagined] = this.mode.output;
    if (this.step === last && value !== null) {
      foot.append(this.row("outcome", value, imagined, value !== imagined));
    }
    this.locals.replaceChildren(
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows),
      foot,
    );
  }

  row(name, value, imagined, different) {
    const cell = (text) =>
      element("td", { className: text === null ? "unbound" : "" }, text ?? "not bound");
    const made = element("tr", {}, element("th", { scope: "row" }, name), cell(value), cell(imagined));
    made.classList.toggle("different", different);
    return made;
  }
}

document.querySelectorAll(".player").forEach((root) => new Player(root));
