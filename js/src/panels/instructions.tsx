// Instructions, as markup that runs nothing.

import { marked } from "marked";
import type { Markdown } from "../modules";
import { sanitize } from "../sanitize";

const markdown: Markdown = (source) =>
  sanitize(marked.parse(source, { async: false, gfm: true }), { links: true, styles: false });
export default markdown;
