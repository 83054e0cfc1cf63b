// The page is served by the API from api/static/ and asks for nothing outside its own address.
// `npm run dev` serves the sources and hands /api, the socket included, to a running `analyticbot`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const SWAGGER = ["swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css", "LICENSE"];

/** Swagger UI's files beside the page: the API serves its documentation offline from them. */
function swagger(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return {
    name: "swagger",
    apply: "build",
    generateBundle() {
      for (const name of SWAGGER) {
        const source = readFileSync(join(folder, name));
        this.emitFile({ type: "asset", fileName: `swagger/${name}`, source });
      }
    },
  };
}

const server = process.env["ANALYTICBOT_SERVER"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte(), swagger()],
  build: { outDir: "../api/static", emptyOutDir: true, target: "es2022", reportCompressedSize: false },
  server: { proxy: { "/api": { target: server, ws: true }, "/docs": server, "/openapi.json": server, "/swagger": server } },
});
