// What NiceGUI's editor leaves out: completion by the server, the cursor's place, marks that never carry an old text back.
import * as CM from "nicegui-codemirror";

const WAIT_MS = 3000;
const setMarks = CM.StateEffect.define();
const marks = CM.StateField.define({
  create: () => CM.Decoration.none,
  update(set, transaction) {
    set = set.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setMarks)) set = CM.Decoration.set(effect.value, true);
    return set;
  },
  provide: (field) => CM.EditorView.decorations.from(field),
});

export async function attach(component, label, completes = true) {
  const editor = component.editor ?? (await component.editorPromise);
  const waiting = new Map();
  let last = 0;
  let cursorTimer = 0;

  const source = (context) => {
    const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos);
    if (!context.explicit && !/[\w"{|.]/.test(before)) return null;
    const number = ++last;
    return new Promise((resolve) => {
      waiting.set(number, (found) => resolve(found && options(found, context.pos)));
      setTimeout(() => resolve(null), WAIT_MS);
      component.$emit("complete", { number, at: context.pos });
    });
  };

  // What is right of the cursor is replaced too, such as a closing quote; the list is filtered by what is left of it.
  const options = (found, at) => {
    const rest = found.to - at;
    const apply = (text) => (view, _, from, to) =>
      view.dispatch({
        changes: { from, to: Math.min(to + rest, view.state.doc.length), insert: text },
        selection: { anchor: from + text.length },
        userEvent: "input.complete",
        scrollIntoView: true,
      });
    const all = found.options.map((option) => ({ ...option, apply: apply(option.apply) }));
    return { from: found.from, options: all, validFor: /^[\w.\-]*$/ };
  };

  editor.dispatch({
    effects: CM.StateEffect.appendConfig.of([
      marks,
      completes ? CM.EditorState.languageData.of(() => [{ autocomplete: source }]) : [],
      CM.EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
      CM.EditorView.updateListener.of((update) => {
        if (!update.selectionSet && !update.docChanged) return;
        clearTimeout(cursorTimer);
        cursorTimer = setTimeout(() => component.$emit("cursor", { at: editor.state.selection.main.head }), 120);
      }),
    ]),
  });

  const within = (offset) => Math.min(offset, editor.state.doc.length);
  const handle = {
    complete(number, found) {
      const resolve = waiting.get(number);
      waiting.delete(number);
      if (resolve) resolve(found);
    },
    mark(list) {
      const ranges = [];
      for (const { from, to, look, title } of list) {
        if (within(from) < within(to))
          ranges.push(CM.Decoration.mark({ class: look, attributes: { title } }).range(within(from), within(to)));
      }
      editor.dispatch({ effects: setMarks.of(ranges) });
    },
    jump(from, to) {
      editor.dispatch({
        selection: { anchor: within(from), head: within(to) },
        effects: CM.EditorView.scrollIntoView(within(from), { y: "center" }),
      });
      editor.focus();
    },
    insert(from, to, text, anchor, head) {
      editor.dispatch({ changes: { from: within(from), to: within(to), insert: text }, userEvent: "input" });
      handle.jump(anchor, head);
    },
  };
  (window.pytakeEditors ??= new Map()).set(component.$el.id, handle);
}
