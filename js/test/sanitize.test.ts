// @vitest-environment jsdom
// Here the DOM is jsdom's: DOMPurify needs a NodeIterator as the standard has it.

import { describe, expect, test } from "vitest";
import instructions from "../src/panels/instructions";
import { sanitize } from "../src/sanitize";

const HOSTILE = [
  `<script>window.hacked = 1</script>`,
  `<img src=x onerror="window.hacked = 1" alt="a cat">`,
  `<svg onload="window.hacked = 1"><script>window.hacked = 1</script></svg>`,
  `<a href="javascript:window.hacked=1" xlink:href="javascript:1">go</a>`,
  `<a href=" java&#10;script:window.hacked=1">go</a>`,
  `<a href="data:text/html,<script>window.hacked=1</script>">go</a>`,
  `<iframe srcdoc="<script>window.hacked=1</script>"></iframe>`,
  `<form action="https://example.org"><input name="attributes"><button formaction="x">b</button></form>`,
  `<base href="https://example.org"><link rel="stylesheet" href="https://example.org/a.css">`,
  `<meta http-equiv="refresh" content="0;url=https://example.org">`,
  `<object data="x.swf"></object><embed src="x.swf">`,
  `<video poster="https://example.org/p.png"><source src="https://example.org/v"></video>`,
  `<img src="https://example.org/pixel.png" srcset="https://example.org/2x.png 2x">`,
  `<math><mtext><table><mglyph><style><img src=x onerror="window.hacked=1"></style></table></math>`,
  `<dialog open>over the page</dialog><p popover>p</p>`,
  `<div id="x" name="y" onclick="window.hacked=1" background="https://example.org/b.png">t</div>`,
];

const html = (fragment: DocumentFragment): string => {
  const holder = document.createElement("div");
  holder.append(fragment);
  return holder.innerHTML;
};

test.each(["<frameset onload=hacked()><frame src=javascript:1></frameset>", "</body>", ""])(
  "of %j alone there is no more than a text",
  (markup) => {
    expect(sanitize(markup, { links: false, styles: true }).querySelector("*")).toBeNull();
    expect(html(sanitize(`${markup}<p>after</p>`, { links: false, styles: true }))).toContain(
      "after",
    );
  },
);

describe.each([
  { links: true, styles: false },
  { links: false, styles: true },
  { links: false, styles: false },
])("with %j", (options) => {
  test.each(HOSTILE)("%s does nothing", (markup) => {
    const made = sanitize(`<p>before</p>${markup}<p>after</p>`, options);
    for (const element of made.querySelectorAll("*")) {
      expect(element.localName).not.toMatch(
        /^(script|iframe|form|input|button|base|link|meta|object|embed|video|audio|dialog)$/,
      );
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(
          /^on|^(id|name|srcset|poster|background|formaction|srcdoc|popover)$/,
        );
        expect(value).not.toMatch(/javascript:|example\.org|hacked/);
      }
    }
    expect(made.textContent).toMatch(/^before[^]*after$/);
    expect(Reflect.get(window, "hacked")).toBeUndefined();
  });
});

test("form stays", () => {
  const kept =
    "<h1>A</h1><p><b>b</b> <em>c</em></p><ul><li>d</li></ul><table><tbody><tr><td>e</td></tr></tbody></table>";
  expect(html(sanitize(kept, { links: true, styles: false }))).toBe(kept);
});

test("links open elsewhere, or are plain text", () => {
  const markup = '<a href="https://example.org">go</a>';
  const link = sanitize(markup, { links: true, styles: false }).querySelector("a")!;
  expect(link.getAttribute("href")).toBe("https://example.org");
  expect(link.target).toBe("_blank");
  expect(link.rel).toBe("noopener noreferrer");
  expect(html(sanitize(markup, { links: false, styles: true }))).toBe("<a>go</a>");
});

test("images come with the data or not at all", () => {
  const options = { links: false, styles: true };
  const inline = "data:image/png;base64,iVBORw0KGgo=";
  expect(html(sanitize(`<img src="${inline}">`, options))).toContain(inline);
  expect(html(sanitize(`<img src="cat.png" alt="a cat">`, options))).toBe("[a cat]");
  expect(html(sanitize(`<img src="https://example.org/x.png">`, options))).toBe(
    "[image not shown]",
  );
});

test("styles only where they can reach nothing else", () => {
  const markup = '<p style="color:red" class="x">a</p><style>p{color:red}</style>';
  expect(html(sanitize(markup, { links: false, styles: false }))).toBe("<p>a</p>");
  expect(html(sanitize(markup, { links: false, styles: true }))).toContain('style="color:red"');
});

test("outside a frame there is no SVG: its attributes may name addresses", () => {
  const markup =
    '<svg><rect fill="url(https://example.org/x.svg#a)"/></svg><math><mi>x</mi></math>';
  expect(html(sanitize(markup, { links: true, styles: false }))).not.toMatch(/svg|math|example/);
  expect(html(sanitize(markup, { links: false, styles: true }))).toContain("<svg>");
});

test("instructions are markdown, and nothing of it runs", () => {
  const shown = document.createElement("div");
  shown.append(
    instructions("Read **all** <b onclick=x()>of it</b> [x](javascript:y) [y](https://z)"),
  );
  expect(shown.querySelector("strong")?.textContent).toBe("all");
  expect(shown.querySelector("[onclick]")).toBeNull();
  expect([...shown.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))).toEqual([
    "https://z",
  ]);
});
