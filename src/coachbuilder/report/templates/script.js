(function () {
  "use strict";
  function key(cell) {
    var given = cell.getAttribute("data-v");
    return given === null ? cell.textContent.trim().toLowerCase() : Number(given);
  }
  document.querySelectorAll("table[data-sortable]").forEach(function (table) {
    var body = table.tBodies[0];
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        Array.prototype.forEach.call(head.parentNode.cells, function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        Array.prototype.slice.call(body.rows).map(function (row) { return { row: row, key: key(row.cells[column]) }; })
          .sort(function (a, b) { return (a.key > b.key ? 1 : a.key < b.key ? -1 : 0) * (up ? 1 : -1); })
          .forEach(function (item) { body.appendChild(item.row); });
      });
    });
  });
  document.querySelectorAll("[data-tools]").forEach(function (tools) {
    var table = document.getElementById(tools.getAttribute("data-tools"));
    var input = tools.querySelector("input");
    var select = tools.querySelector("select");
    var count = tools.querySelector("output");
    function apply() {
      var wanted = input.value.trim().toLowerCase(), kind = select ? select.value : "", shown = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        var keep = (!kind || row.getAttribute("data-kind") === kind) && row.textContent.toLowerCase().indexOf(wanted) >= 0;
        row.hidden = !keep;
        if (keep) { shown += 1; }
      });
      count.textContent = shown + " shown";
    }
    input.addEventListener("input", apply);
    if (select) { select.addEventListener("change", apply); }
    tools.hidden = false;
    apply();
  });
  // What a section rests on is a list of links, of no use on paper; the register is printed whole.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("details:not(.trace):not([open])"));
    opened.forEach(function (item) { item.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (item) { item.open = false; });
  });
}());
