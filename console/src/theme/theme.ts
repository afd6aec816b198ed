import { createTheme, type MantineColorsTuple } from "@mantine/core";

// The green of the product. Shade 8 has enough contrast for white text on it and for itself on white (WCAG AA).
const leaf: MantineColorsTuple = [
  "#e9faf3",
  "#d6f2e6",
  "#aae4cb",
  "#7bd6ae",
  "#55ca96",
  "#3dc286",
  "#22a872",
  "#128a5c",
  "#0b724b",
  "#055c3b",
];

export const theme = createTheme({
  respectReducedMotion: true,
  primaryColor: "leaf",
  primaryShade: 8,
  colors: { leaf },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Ubuntu, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Code', 'JetBrains Mono', Menlo, monospace",
  cursorType: "pointer",
  components: {
    // To choose what is already chosen changes nothing; what may be empty has a button for it.
    Select: { defaultProps: { allowDeselect: false } },
  },
});
