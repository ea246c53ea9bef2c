/* Where photographs lie in sprites, and where what the network saw lies in photographs. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const TILE = 96;
  const WHOLE = [0, 0, 1, 1];

  /* Sprite file, column and line of a photograph's tile, and the tiles along the sprite's sides; the last is shorter. */
  function place(sheet, row) {
    const across = sheet.across || 16;
    const size = across * across;
    const sprite = Math.floor(row / size);
    const rest = row % size;
    const inIt = Math.min(size, Math.max((sheet.count || row + 1) - sprite * size, rest + 1));
    return { sprite, column: rest % across, line: Math.floor(rest / across), across, down: Math.ceil(inIt / across) };
  }

  /* The part of its tile that a photograph fills: it lies in the middle, and its longer side is the tile's. */
  function filled(width, height, tile) {
    if (!width || !height) return WHOLE;
    const side = tile || TILE;
    const share = side / Math.max(width, height);
    const part = (length) => Math.max(1, Math.round(length * share));
    const begin = (length) => Math.floor((side - part(length)) / 2);
    return [begin(width), begin(height), begin(width) + part(width), begin(height) + part(height)].map((px) => px / side);
  }

  /* The centre crop that a network sees of a photograph, shares of its width and height. */
  function seen(view, width, height) {
    if (!view || !view.crop || !view.resize || !width || !height) return WHOLE;
    const side = (view.crop / view.resize) * Math.min(width, height);
    const w = Math.min(1, side / width);
    const h = Math.min(1, side / height);
    return [(1 - w) / 2, (1 - h) / 2, (1 + w) / 2, (1 + h) / 2];
  }

  /* A box given in shares of another one, in that one's frame. */
  function within(outer, inner) {
    const w = outer[2] - outer[0];
    const h = outer[3] - outer[1];
    return [outer[0] + inner[0] * w, outer[1] + inner[1] * h, outer[0] + inner[2] * w, outer[1] + inner[3] * h];
  }

  /* A square around the middle of a box, at least `size` of its frame wide and high, moved into the frame. */
  function around(box, size) {
    const w = Math.min(1, Math.max(box[2] - box[0], size[0]));
    const h = Math.min(1, Math.max(box[3] - box[1], size[1]));
    const inside = (centre, side) => Math.min(1 - side / 2, Math.max(side / 2, centre));
    const x = inside((box[0] + box[2]) / 2, w);
    const y = inside((box[1] + box[3]) / 2, h);
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
  }

  /* Style of a background that shows `box` (shares of the tile) of a photograph's tile, in per cent. */
  function background(sheet, row, box) {
    const at = place(sheet, row);
    const [x0, y0, x1, y1] = box || WHOLE;
    const along = (from, tiles, side) => (Math.abs(tiles - side) < 1e-9 ? 0 : (100 * from) / (tiles - side));
    return {
      backgroundImage: "url(photographs/" + Number(sheet.number) + "/" + at.sprite + ".webp)",
      backgroundSize: (100 * at.across) / (x1 - x0) + "% " + (100 * at.down) / (y1 - y0) + "%",
      backgroundPosition: along(at.column + x0, at.across, x1 - x0) + "% " + along(at.line + y0, at.down, y1 - y0) + "%",
    };
  }

  /* px that a photograph of this ratio of width to height is shown wide at most: none is higher than two screens. */
  function widest(ratio) {
    return Math.max(24, Math.min(760, Math.max(280, 560 * ratio), 1200 * ratio));
  }

  const percent = (box) => ({
    left: 100 * box[0] + "%", top: 100 * box[1] + "%", width: 100 * (box[2] - box[0]) + "%", height: 100 * (box[3] - box[1]) + "%",
  });

  filterscope.geometry = { place, filled, seen, within, around, background, widest, percent, WHOLE };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
