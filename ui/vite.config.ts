import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Test ids, snapshots and the like belong to tests; the plugin acts only there.
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  // `devUrl` in src-tauri/tauri.conf.json. The drawings of the states lie beside this folder.
  server: { port: 5173, strictPort: true, fs: { allow: [".."] } },
  build: {
    // Safari 16 = macOS 13, the oldest web view that is served.
    target: "safari16",
    // The content policy allows nothing inline: no data: addresses, no preload script.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.ts"],
    // Times are shown in the reader's zone; tests need one that is the same everywhere.
    // Some tests read what the styles say.
    css: true,
    // Against one that hangs: a busy machine takes seconds for the first page of a file.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { TZ: "Europe/Berlin" },
  },
});
