/* The page's modules that need no document, as the browser would load them. */
"use strict";
const path = require("node:path");
const folder = path.join(__dirname, "../../../workflow_scripts/filterscope/report/atlas");
const load = (name) => require(path.join(folder, "page", name));
const page = load("store.js");
for (const name of ["address.js", "numbers.js", "geometry.js", "words.js", "listing.js"]) load(name);
module.exports = { page, ...page, MiniSearch: require(path.join(folder, "vendor/minisearch.js")) };
