// @vitest-environment happy-dom
// Where the bytes of an image get their address.

import { afterEach, expect, test, vi } from "vitest";
import { addressOf } from "../src/media";

const bytes = new TextEncoder().encode("<svg onload=hack()>é".repeat(2000));
let made: Blob | undefined;

vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
  made = blob as Blob;
  return "blob:made";
});
afterEach(() => (made = undefined));

test("an SVG has an address without an origin", () => {
  const address = addressOf("image/svg+xml", bytes);
  expect(made).toBeUndefined();
  const [head, data] = address.split(",");
  expect(head).toBe("data:image/svg+xml;base64");
  expect(Uint8Array.from(atob(data!), (c) => c.charCodeAt(0))).toEqual(bytes);
});

test.each(["image/png", "image/jpeg", "image/gif", "image/webp"])("%s is a blob of it", (mime) => {
  expect(addressOf(mime, bytes)).toBe("blob:made");
  expect(made?.type).toBe(mime);
});

test.each(["text/html", "application/xhtml+xml", "image/svg", "text/xml", "", null, 3])(
  "what says to be %s is taken for a bitmap",
  (mime) => {
    expect(addressOf(mime, bytes)).toBe("blob:made");
    expect(made?.type).toBe("image/png");
  },
);
