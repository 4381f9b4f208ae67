"use strict";
(() => {
  const make = (tag, text) => {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    return e;
  };
  const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  // copy puts text on the clipboard, also where a browser has no clipboard for the page.
  const copy = async (text, from) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(from);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
  };
  for (const pre of document.querySelectorAll("pre.run")) {
    const box = make("div"), button = make("button", "Copy");
    box.className = "command";
    button.type = "button";
    pre.replaceWith(box);
    box.append(pre, button);
    button.addEventListener("click", async () => {
      button.textContent = (await copy(pre.textContent, pre)) ? "Copied" : "Select and copy";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  const perPart = 50;
  for (const table of document.querySelectorAll("table")) {
    const rows = [...table.querySelectorAll("tbody tr")];
    if (rows.length < 2) continue;
    const heads = [...table.querySelectorAll("thead th")];
    const place = new Map(rows.map((row, i) => [row, i]));
    const texts = new Map();
    const text = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    let column = -1, down = false, words = [];

    const value = (row) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
    const arrange = () => {
      let order = rows;
      if (column >= 0) {
        const keys = new Map(rows.map((row) => {
          const v = value(row);
          const n = v.replace(/[,?]/g, "").split(" ").reduce((sum, part) => sum + Number(part), 0); // of 3 1? as well
          return [row, v !== "" && !Number.isNaN(n) ? n : v];
        }));
        const compare = (a, b) => {
          const x = keys.get(a), y = keys.get(b);
          if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
          return x < y ? -1 : x > y ? 1 : 0;
        };
        order = [...rows].sort((a, b) => (down ? -compare(a, b) : compare(a, b)) || place.get(a) - place.get(b));
      }
      const shown = [], hidden = [];
      for (const row of order) {
        const fits = words.every((w) => text(row).includes(w));
        row.hidden = !fits;
        (fits ? shown : hidden).push(row);
      }
      const parts = [];
      for (const [list, hide] of [[shown, false], [hidden, true]]) {
        for (let i = 0; i < list.length; i += perPart) {
          const part = make("tbody");
          part.hidden = hide;
          part.append(...list.slice(i, i + perPart));
          parts.push(part);
        }
      }
      for (const old of table.querySelectorAll("tbody")) old.remove();
      table.append(...parts);
      return shown.length;
    };

    heads.forEach((head, i) => {
      const button = make("button", head.textContent);
      button.type = "button";
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        if (column !== i) [column, down] = [i, false];
        else if (!down) down = true;
        else column = -1;
        for (const h of heads) h.removeAttribute("aria-sort");
        if (column >= 0) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        arrange();
      });
    });

    if (rows.length < 8) continue;
    const tools = make("div"), label = make("label", "Filter "), input = make("input"), output = make("output");
    tools.className = "tools";
    input.type = "search";
    input.placeholder = "all words must occur in a row";
    label.append(input);
    tools.append(label, output);
    table.parentElement.before(tools);
    const tell = (n) => { output.textContent = n === rows.length ? `${count(n)} rows` : `${count(n)} of ${count(rows.length)} rows`; };
    tell(rows.length);
    let timer = 0;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        tell(arrange());
        table.parentElement.scrollTop = 0;
      }, rows.length > 2000 ? 200 : 0);
    });
  }
})();
