/* Addresses: what stands behind the # says the page, and can be copied, reloaded and gone back to. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const PAGES = {
    study: 0, search: 0, layer: 1, filter: 2, photographs: 1, photograph: 2, occlusion: 1, compare: 2, class: 1, networks: 1, diagnosis: 0, temperature: 0,
  };

  /* {page, numbers, query} of an address, or {page: null} where there is no such page. */
  function parse(hash) {
    const text = String(hash || "").replace(/^#?\/?/, "");
    const cut = text.indexOf("?");
    const path = cut < 0 ? text : text.slice(0, cut);
    const query = {};
    if (cut >= 0) for (const [key, value] of new URLSearchParams(text.slice(cut + 1))) query[key] = value;
    const [page, ...rest] = path.split("/").filter((part) => part !== "");
    if (page === undefined) return { page: "study", numbers: [], query };
    const known = Object.prototype.hasOwnProperty.call(PAGES, page);
    const right = known && (rest.length === PAGES[page] || (page === "compare" && rest.length === 0)) && rest.every((part) => /^[0-9]{1,9}$/.test(part));
    return right ? { page, numbers: rest.map(Number), query } : { page: null, numbers: [], query: {} };
  }

  /* The address of a page; empty settings are left out. */
  function write(page, numbers, query) {
    const settings = new URLSearchParams();
    for (const key of Object.keys(query || {}).sort()) {
      const value = query[key];
      if (value !== undefined && value !== null && value !== "") settings.set(key, value);
    }
    const tail = settings.toString();
    return "#/" + [page, ...(numbers || [])].join("/") + (tail ? "?" + tail : "");
  }

  /* A path below the results as a link: no other protocol or host, and odd characters stay what they are. */
  function link(path) {
    const text = String(path || "");
    if (text === "" || /^[a-z][a-z0-9+.-]*:/i.test(text) || /^[/\\]/.test(text)) return null;
    return text.split("/").map(encodeURIComponent).join("/");
  }

  filterscope.address = { parse, write, link };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
