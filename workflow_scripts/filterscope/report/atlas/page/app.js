/* The page as a whole: head, addresses, keyboard, theme. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, useEffect, useRef, Text, Failed } = filterscope.parts;
  const { store, address } = filterscope;
  const scrolled = new Map(); // address: how far down it was

  const THEMES = ["auto", "light", "dark"];
  function readTheme() {
    try { return THEMES.includes(localStorage.getItem("filterscope-theme")) ? localStorage.getItem("filterscope-theme") : "auto"; } catch { return "auto"; }
  }
  function useTheme() {
    const [theme, setTheme] = useState(readTheme);
    useEffect(() => {
      if (theme === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      try { localStorage.setItem("filterscope-theme", theme); } catch { /* a browser that keeps nothing */ }
      root.dispatchEvent(new Event("filterscope-theme"));
    }, [theme]);
    return [theme, () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % 3])];
  }

  const KEYS = [
    ["/", "search"], ["?", "this help"], ["← →", "previous and next filter; values of a curve"], ["← ↑ ↓ →", "within a gallery, once a filter is focused"],
    ["h", "heatmaps on and off"], ["g then s", "the study"], ["g then l", "the layer of what is shown, or the first"], ["g then c", "compare"], ["Esc", "leave the search, this help"],
  ];

  function Help({ onClose }) {
    const ref = useRef(null);
    useEffect(() => {
      const dialog = ref.current;
      dialog.showModal();
      const closed = () => onClose();
      dialog.addEventListener("close", closed);
      return () => dialog.removeEventListener("close", closed);
    }, []);
    return html`<dialog class="help" ref=${ref} aria-labelledby="help-title" onClick=${(event) => event.target === ref.current && ref.current.close()}><div>
      <header><h2 id="help-title">Keys and statuses</h2><button type="button" onClick=${() => ref.current.close()} aria-label="Close">×</button></header>
      <div class="help-body"><dl class="keys">${KEYS.map(([key, says]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${says}</dd></div>`)}</dl>
      <dl class="status-help">${Object.entries(filterscope.parts.STATUSES).map(([status, says]) => html`<div key=${status}><dt><${filterscope.parts.Status} status=${status} /></dt><dd>${says}</dd></div>`)}</dl>
      <p class="note">Every panel names the table that its numbers come from; every page has an address that can be copied.</p></div></div></dialog>`;
  }

  function Head({ study, route, go, onHelp }) {
    const [theme, nextTheme] = useTheme();
    const layer = ["layer", "filter"].includes(route.page) ? route.numbers[0] : null;
    const pages = study.pages || [];
    const layers = study.layers.filter((each) => each.filters > 0); // of which something is shown but facets of classes
    const on = (names) => (names.includes(route.page) ? "page" : undefined);
    const both = study.beside && study.beside.pairs.length ? study.beside.pairs : null;
    const pair = both ? [...(both.find((each) => each.includes(layer)) || both[0])].reverse() : layers.length > 1 ? [layer === null ? layers[0].number : layer, (layers.find((each) => each.number !== (layer === null ? layers[0].number : layer)) || layers[0]).number] : null;
    return html`<header class="head"><a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); const main = document.getElementById("main"); main.focus(); }}>To the content</a>
      <a class="brand" href="#/study" aria-label="Filterscope: the study"><svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><circle cx="12" cy="12" r="9.2" /><circle cx="12" cy="12" r="3.4" /><path d="M12 2.8v5.8M20 7.4l-5 2.9M20 16.6l-5-2.9M12 21.2v-5.8M4 16.6l5-2.9M4 7.4l5 2.9" /></svg><span><${Text} lines=${1}>${study.title}<//></span></a>
      <nav class="nav" aria-label="Pages">
        <a href="#/study" aria-current=${on(["study"])}>Study</a>
        ${layers.length ? html`<label class="layer-choice"><span class="visually-hidden">Layer</span><select aria-label="Go to a layer" data-on=${layer !== null} value=${layer === null ? "" : layer} onChange=${(event) => event.target.value !== "" && go(address.write("layer", [Number(event.target.value)]))}><option value="" disabled>Layers</option>${layers.map((each) => html`<option key=${each.number} value=${each.number}>${each.heading}</option>`)}</select></label>` : null}
        ${pair ? html`<a href=${address.write("compare", pair)} aria-current=${on(["compare"])}>Compare</a>` : null}
        ${(study.classes || []).length ? html`<a href=${address.write("class", [study.classes[0].number])} aria-current=${on(["class", "networks"])}>Classes</a>` : null}
        ${(study.photographs || []).length ? html`<a href=${address.write("photographs", [study.photographs[0].number])} aria-current=${on(["photographs", "photograph", "occlusion"])}>Photographs</a>` : null}
        ${pages.includes("diagnosis") ? html`<a href="#/diagnosis" aria-current=${on(["diagnosis"])}>Diagnosis</a>` : null}
        ${pages.includes("temperature") ? html`<a href="#/temperature" aria-current=${on(["temperature"])}>Temperature</a>` : null}
      </nav>
      <${filterscope.search.Box} study=${study} route=${route} go=${go} />
      <div class="head-end"><button type="button" class="quiet" onClick=${nextTheme} aria-label=${"Colours: " + theme + ". Change"} title=${"Colours: " + theme}>${theme === "auto" ? "◐" : theme === "light" ? "☀" : "☾"}</button><button type="button" class="quiet" onClick=${onHelp} aria-label="Keys and statuses" title="Keys and statuses (?)">?</button></div></header>`;
  }

  const NONE = html`<article class="page"><h1 tabindex="-1">There is no such page</h1><p>The address leads nowhere in this atlas. <a href="#/study">Go to the study</a>.</p></article>`;

  // Lists of the study that say which pages of a kind there are.
  const NUMBERED = { photographs: "photographs", photograph: "photographs", occlusion: "occlusions", class: "classes", networks: "networks" };
  const ROOMS = ["diagnosis", "temperature"];

  function Page({ study, route, go }) {
    const [first, second] = route.numbers;
    const layer = study.layers.find((each) => each.number === first);
    // What the study does not name is not there: asking for its file would be a request that fails.
    const named = NUMBERED[route.page];
    if (named && !(study[named] || []).some((each) => each.number === first)) return NONE;
    if (ROOMS.includes(route.page) && !(study.pages || []).includes(route.page)) return NONE;
    switch (route.page) {
      case "study": return html`<${filterscope.studyPage.Study} study=${study} />`;
      case "search": return html`<${filterscope.search.Search} study=${study} query=${route.query} />`;
      case "layer": return layer ? html`<${filterscope.layerPage.Layer} key=${first} info=${layer} study=${study} query=${route.query} go=${go} />` : NONE;
      case "filter": return layer ? html`<${filterscope.filterPage.Filter} key=${first} info=${layer} study=${study} number=${second} go=${go} />` : NONE;
      case "photographs": return html`<${filterscope.photographPage.Photographs} key=${first} study=${study} number=${first} />`;
      case "photograph": return html`<${filterscope.photographPage.Photograph} key=${route.numbers.join("/")} study=${study} number=${first} image=${second} query=${route.query} />`;
      case "occlusion": return html`<${filterscope.photographPage.Occlusion} key=${first} study=${study} number=${first} />`;
      case "compare": return study.layers.length ? html`<${filterscope.comparePage.Compare} key=${route.numbers.join("/")} study=${study} numbers=${route.numbers} query=${route.query} go=${go} />` : NONE;
      case "class": return html`<${filterscope.classPage.Class} key=${first} study=${study} number=${first} />`;
      case "networks": return html`<${filterscope.networksPage.Networks} key=${first} study=${study} number=${first} />`;
      case "diagnosis": case "temperature": return html`<${filterscope.roomPage.Room} key=${route.page} name=${route.page} />`;
      default: return NONE;
    }
  }

  function titleOf(study, route) {
    const layer = study.layers.find((each) => each.number === route.numbers[0]);
    const name = { study: "", search: "“" + (route.query.q || "") + "”", layer: layer ? layer.heading : "", filter: "filter " + route.numbers[1] + (layer ? " of " + layer.heading : ""), photograph: "photograph " + route.numbers[1], networks: "networks compared", class: ((study.classes || []).find((each) => each.number === route.numbers[0]) || {}).class }[route.page];
    const label = name === undefined ? (route.page || "no such page") : name;
    return (label ? String(label).slice(0, 120) + " · " : "") + String(study.title).slice(0, 120) + " · filter atlas";
  }

  function App({ study }) {
    const [route, setRoute] = useState(() => address.parse(location.hash));
    const [help, setHelp] = useState(false);
    const moved = useRef({ fresh: false, replaced: false });
    /* To an address; `replace` where only settings of the same page change, so that "back" leaves the page. */
    const go = (hash, replace) => {
      if (hash === location.hash) return;
      if (replace) {
        moved.current.replaced = true;
        history.replaceState(history.state, "", hash);
        setRoute(address.parse(hash));
      } else {
        moved.current.fresh = true;
        location.hash = hash;
      }
    };
    useEffect(() => {
      const remember = () => scrolled.set(location.hash, root.scrollY);
      const clicked = (event) => { if (event.target.closest && event.target.closest('a[href^="#/"]')) moved.current.fresh = true; };
      const changed = () => setRoute(address.parse(location.hash));
      root.addEventListener("scroll", remember, { passive: true });
      document.addEventListener("click", clicked, true);
      root.addEventListener("hashchange", changed);
      return () => { root.removeEventListener("scroll", remember); document.removeEventListener("click", clicked, true); root.removeEventListener("hashchange", changed); };
    }, []);
    const key = route.page + "/" + route.numbers.join("/");
    const last = useRef(null);
    useEffect(() => {
      document.title = titleOf(study, route);
      if (last.current === key) { moved.current = { fresh: false, replaced: false }; return undefined; }
      const begun = last.current === null;
      last.current = key;
      const fresh = moved.current.fresh;
      moved.current = { fresh: false, replaced: false };
      const target = fresh ? 0 : scrolled.get(location.hash) || 0;
      const place = () => root.scrollTo(0, target);
      place();
      if (!begun) {
        const heading = document.querySelector("main h1");
        if (heading && !(document.activeElement && document.activeElement.id === "search")) heading.focus({ preventScroll: true });
      }
      const later = target ? setTimeout(place, 120) : null;
      return () => clearTimeout(later);
    }, [key]);
    useEffect(() => { document.title = titleOf(study, route); }, [route]);
    useEffect(() => {
      let before = "";
      const keys = (event) => {
        const writing = event.target.closest && event.target.closest("input:not([type=checkbox]):not([type=range]), textarea, select");
        if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "/") { event.preventDefault(); document.getElementById("search").focus(); document.getElementById("search").select(); }
        else if (event.key === "?") setHelp(true);
        else if (before === "g") {
          const layer = ["layer", "filter"].includes(route.page) ? route.numbers[0] : (study.layers.find((each) => each.filters > 0) || { number: null }).number;
          if (event.key === "s") go("#/study");
          if (event.key === "l" && layer !== null) go(address.write("layer", [layer]));
          const shown = study.layers.filter((each) => each.filters > 0);
          if (event.key === "c" && shown.length > 1) go(address.write("compare", [shown[0].number, shown[1].number]));
        }
        before = event.key;
      };
      document.addEventListener("keydown", keys);
      return () => document.removeEventListener("keydown", keys);
    }, [route]);
    return html`<${Head} study=${study} route=${route} go=${go} onHelp=${() => setHelp(true)} />
      <main id="main" tabindex="-1"><${Page} study=${study} route=${route} go=${go} /></main>
      <footer class="foot"><span>Filterscope <${Text}>${study.version}<//>${study.seed !== undefined && study.seed !== null ? html` · seed ${study.seed}` : null}${study.made ? html` · <${Text}>${study.made}<//>` : null}</span><a href="#/study" onClick=${() => setTimeout(() => { const cite = document.getElementById("cite"); if (cite) cite.scrollIntoView(); }, 200)}>Cite this</a></footer>
      ${help ? html`<${Help} onClose=${() => setHelp(false)} />` : null}`;
  }

  function begin() {
    const place = document.getElementById("atlas");
    place.textContent = "";
    try {
      root.preact.render(html`<${App} study=${store.study()} />`, place);
      document.documentElement.dataset.ready = "true";
      const idle = root.requestIdleCallback || ((task) => setTimeout(task, 300));
      idle(() => filterscope.search.loadAll(store.study()).then((layers) => idle(() => {
        filterscope.search.warm(layers);
        document.documentElement.dataset.indexed = "true";
      }), () => {}));
    } catch (error) {
      root.preact.render(html`<main class="page"><${Failed} error=${error} /></main>`, place);
    }
  }

  filterscope.begin = begin;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})(globalThis);
