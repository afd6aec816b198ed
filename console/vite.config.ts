/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: "../functions/console/site",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy has no data: for scripts and styles
    modulePreload: { polyfill: false },
    target: "es2023",
    sourcemap: false,
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: "es" },
  test: {
    environment: "jsdom",
    isolate: false, // a browser per file would be most of the time
    globals: true,
    setupFiles: ["src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
    testTimeout: 30_000, // a busy machine
  },
});
