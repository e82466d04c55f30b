import { defineConfig } from "vitest/config";

// Tests run without a DOM; one that needs it says so in its first line:
// `// @vitest-environment happy-dom`.
export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.{ts,tsx}"],
    coverage: {
      provider: "v8",
      include: ["src/{state,keymap,search,text,format,guard,protocol,channel,controller,theme}.ts"],
      thresholds: { lines: 90, functions: 90, branches: 90, statements: 90 },
    },
  },
});
