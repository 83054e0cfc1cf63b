// The page is served by the API from api/static/ and asks for nothing outside its own address.
// `npm run dev` serves the sources and hands /api, the socket included, to a running `analyticbot`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** Swagger UI's files beside the page: the API serves its documentation offline from them. */
const SWAGGER = ["swagger-ui-bundle.js", "swagger-ui.css"];
/** Whose work is in what is built. */
const LICENSED: Record<string, string> = {
  "@fontsource-variable/inter": "LICENSE",
  "swagger-ui-dist": "LICENSE",
  svelte: "LICENSE.md",
  uplot: "LICENSE",
};

function file(module: string, name: string): Buffer {
  const folder = dirname(createRequire(import.meta.url).resolve(`${module}/package.json`));
  return readFileSync(join(folder, name));
}

function shipped(): Plugin {
  return {
    name: "shipped",
    apply: "build",
    generateBundle() {
      for (const name of SWAGGER) {
        this.emitFile({ type: "asset", fileName: `swagger/${name}`, source: file("swagger-ui-dist", name) });
      }
      const licenses = Object.entries(LICENSED).map(([module, name]) => `${module}\n\n${file(module, name).toString()}`);
      this.emitFile({ type: "asset", fileName: "licenses.txt", source: licenses.join("\n\n---\n\n") });
    },
  };
}

const server = process.env["ANALYTICBOT_SERVER"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte(), shipped()],
  build: { outDir: "../api/static", emptyOutDir: true, target: "es2022", reportCompressedSize: false },
  server: { proxy: { "/api": { target: server, ws: true }, "/docs": server, "/openapi.json": server, "/swagger": server } },
});
