// Markup from outside, made harmless: nothing runs, nothing is fetched.

import DOMPurify from "dompurify";

const FORBID_TAGS =
  "form input button textarea select base meta link iframe object embed video audio dialog".split(
    " ",
  );
const FORBID_ATTR =
  "id name srcset background ping formaction poster popover popovertarget command commandfor".split(
    " ",
  );

export interface Options {
  /** Keep links, to be opened in a new tab; without it they are plain text. */
  readonly links: boolean;
  /** Keep styles, SVG and MathML, which may name addresses: only inside a frame of their own. */
  readonly styles: boolean;
}

/** Return what is left of the markup, as a fragment of inert nodes. */
export function sanitize(markup: string, { links, styles }: Options): DocumentFragment {
  // Said at once, so that no set of frames takes the place of the body.
  const body = DOMPurify.sanitize(`<body>${markup}`, {
    // Attributes of SVG, such as a mask, are fetched like styles are.
    ...(styles ? {} : { USE_PROFILES: { html: true } }),
    FORBID_TAGS: styles ? FORBID_TAGS : [...FORBID_TAGS, "style"],
    FORBID_ATTR: styles ? FORBID_ATTR : [...FORBID_ATTR, "style", "class"],
    ALLOWED_URI_REGEXP: links ? /^(?:https?:|mailto:|data:image\/)/i : /^data:image\//i,
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const image of body.querySelectorAll("img, image")) {
    const source = image.getAttribute("src") ?? image.getAttribute("href") ?? "";
    if (/^data:image\//i.test(source)) continue;
    image.replaceWith(
      document.createTextNode(`[${image.getAttribute("alt") || "image not shown"}]`),
    );
  }
  for (const link of body.querySelectorAll("a, area")) {
    if (links && link.hasAttribute("href")) {
      link.setAttribute("target", "_blank");
      link.setAttribute("rel", "noopener noreferrer");
    } else {
      link.removeAttribute("href");
    }
    link.removeAttribute("xlink:href");
  }
  return body;
}
