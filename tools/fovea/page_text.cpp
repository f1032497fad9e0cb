#include "page.hpp"

// Changing either text changes its digest; tests/html tells the new one.
namespace fovea::cli {

const char* const kPageStyleDigest = "sha256-NCoBTm9xV1PknzaCgY2nJsS5Y+ITTi5gXhHbqKJhcgQ=";
const char* const kPageScriptDigest = "sha256-KuG0NgNBMdMih3aUEtSmTtm+E4flN92WNogDoq0uhGI=";

std::string_view page_style() {
  return R"css(
:root { color-scheme: light dark; --ground: #fff; --text: #1a1a1a; --faint: #5a5a5a; --line: #c8c8c8; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181c; --text: #ececec; --faint: #aeb4bd; --line: #454a52; --accent: #8ab4f8; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
.maps { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
figure { margin: 0; }
.picture img, .picture canvas { display: block; width: 100%; height: auto; margin: .5rem 0; background: #fff; }
.small img, .small canvas { image-rendering: pixelated; }
.bar img { display: block; width: 100%; height: .75rem; }
.ends { display: flex; justify-content: space-between; font-variant-numeric: tabular-nums; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .75rem; margin: .5rem 0; font-size: .9rem; }
dt { color: var(--faint); }
dd { margin: 0; }
.note { font-weight: 600; margin: .5rem 0; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 2rem; border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem 1rem; margin: 0 0 1rem; }
.controls label { display: flex; align-items: center; gap: .5rem; white-space: nowrap; }
input[type=range] { accent-color: var(--accent); width: 12rem; max-width: 40vw; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
output { min-width: 4ch; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; margin: 0 0 1rem; }
caption { text-align: start; color: var(--faint); }
th, td { padding: .25rem 1rem .25rem 0; text-align: start; border-bottom: 1px solid var(--line); }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; font-size: .85rem; }
summary { cursor: pointer; }
)css";
}

// A map's picture is drawn anew from the photo and the map's values whenever a slider moves.
std::string_view page_script() {
  return R"js(
"use strict";
(() => {
  const opacity = document.getElementById("opacity");
  const threshold = document.getElementById("threshold");
  if (!opacity || !threshold) return;
  const maps = [];

  const pixels = (image) => {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };

  // Grey, half way to white.
  const paled = (image) => {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const of = pixels(image);
    for (let at = 0; at < of.data.length; at += 4) {
      const grey = 0.299 * of.data[at] + 0.587 * of.data[at + 1] + 0.114 * of.data[at + 2];
      of.data.fill((grey + 255) / 2, at, at + 3);
    }
    canvas.getContext("2d").putImageData(of, 0, 0);
    return canvas;
  };

  const prepare = (figure) => {
    const photo = document.getElementById(figure.dataset.photo);
    const shown = figure.querySelector("img.overlay");
    const bar = figure.querySelector(".bar img");
    const levels = figure.querySelector("img.values");
    if (!bar || !levels) return;
    const canvas = document.createElement("canvas");
    canvas.width = photo.naturalWidth;
    canvas.height = photo.naturalHeight;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", shown.alt);
    const values = pixels(levels);
    const colors = pixels(bar);
    const layer = document.createElement("canvas");
    layer.width = values.width;
    layer.height = values.height;
    const low = Number(figure.dataset.low), high = Number(figure.dataset.high);
    const follows = figure.dataset.follows === "value", pale = figure.dataset.under === "pale";
    shown.replaceWith(canvas);
    maps.push({ under: pale ? paled(photo) : photo, canvas, values, colors, layer, low, high, follows });
  };

  // How far a value is from where the scale begins, 0..1: from 0 where the scale has both signs.
  const strength = (map, level) => {
    if (!(map.low < 0 && map.high > 0)) return level;
    const value = map.low + level * (map.high - map.low);
    return Math.abs(value) / Math.max(-map.low, map.high);
  };

  const draw = (map) => {
    const part = Number(threshold.value) / 100, weight = Number(opacity.value) / 100;
    const both = map.low < 0 && map.high > 0, last = map.colors.width - 1;
    const context = map.layer.getContext("2d");
    const out = context.createImageData(map.values.width, map.values.height);
    for (let at = 0; at < out.data.length; at += 4) {
      const level = map.values.data[at];
      // Of two colours that follow the value, each is at its full.
      const color = 4 * (both && map.follows ? (level < 128 ? 0 : last) : Math.min(level, last));
      out.data[at] = map.colors.data[color];
      out.data[at + 1] = map.colors.data[color + 1];
      out.data[at + 2] = map.colors.data[color + 2];
      const much = strength(map, level / 255);
      const drawn = map.values.data[at + 1] > 127 && much >= part;
      out.data[at + 3] = drawn ? 255 * (map.follows ? Math.min(1, 2 * weight * much) : weight) : 0;
    }
    context.putImageData(out, 0, 0);
    const over = map.canvas.getContext("2d");
    over.globalAlpha = 1;
    over.drawImage(map.under, 0, 0, map.canvas.width, map.canvas.height);
    over.drawImage(map.layer, 0, 0, map.canvas.width, map.canvas.height);
  };

  const update = () => {
    document.getElementById("opacity-value").textContent = opacity.value + " %";
    document.getElementById("threshold-value").textContent = threshold.value + " %";
    for (const slider of [opacity, threshold]) slider.setAttribute("aria-valuetext", slider.value + " percent");
    for (const map of maps) draw(map);
  };

  const loaded = (image) => image.decode ? image.decode() : Promise.resolve();
  Promise.all([...document.querySelectorAll("img")].map(loaded)).then(() => {
    document.querySelectorAll("figure.map").forEach(prepare);
    if (maps.length === 0) return;
    document.getElementById("controls").hidden = false;
    for (const slider of [opacity, threshold]) slider.addEventListener("input", update);
    update();
  });
})();
)js";
}

}  // namespace fovea::cli
