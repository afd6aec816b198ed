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
    rolldownOptions: {
      output: {
        chunkFileNames: ({ name }) => `assets/${name.split("~")[0]}-[hash].js`, // not the names of all who share it
        // A file costs its headers, and merged files bring what an area does not use: 800 is the least of all areas together.
        codeSplitting: {
          groups: [
            { name: "start", tags: ["$initial"] },
            { name: "canvas", test: /node_modules.(@xyflow|d3-|zustand|classcat|use-sync-external-store)/ },
            { name: "parts", minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 800 },
          ],
        },
      },
    },
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
