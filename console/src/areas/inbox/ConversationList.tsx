import {
  createContext,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
} from "react";
import { Virtualizer, type CustomItemComponentProps, type VirtualizerHandle } from "virtua";
import { ConversationItem } from "./ConversationItem.tsx";
import { keyOf, pathOf, type Summary } from "./queries.ts";

const List = createContext({ count: 0, onDrawn: () => {} });

/** A row, which is invisible until it is measured. What is not drawn counts for screen readers, too. */
function Row({ index, style, children, ref }: CustomItemComponentProps) {
  const { count, onDrawn } = useContext(List);
  useEffect(() => onDrawn());
  return (
    <li ref={ref} style={style} data-index={index} aria-setsize={count} aria-posinset={index + 1}>
      {children}
    </li>
  );
}

/** The place that a key leads to; nothing for other keys. */
function placeAfter({ key }: KeyboardEvent, place: number, count: number): number | undefined {
  const places: Record<string, number> = {
    ArrowDown: place + 1,
    ArrowUp: place - 1,
    Home: 0,
    End: count - 1,
  };
  const next = places[key];
  return next === undefined ? undefined : Math.min(Math.max(next, 0), count - 1);
}

/**
 * A list of conversations that draws only the rows in view, because a thousand rows scroll slowly. The arrow keys, Home and End
 * move the focus, and the row that has it stays drawn. The rows in view keep their place when others arrive above them.
 */
export function ConversationList({ conversations }: { conversations: readonly Summary[] }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useRef<VirtualizerHandle>(null);
  const first = useRef({ path: "", offset: 0 }); // the first one in view, and how far it is above it
  const wanted = useRef(-1); // gets the focus once it is drawn
  const [focused, setFocused] = useState("");
  const paths = useMemo(() => conversations.map((one) => pathOf(keyOf(one))), [conversations]);
  const place = paths.indexOf(focused);

  useLayoutEffect(() => {
    const index = paths.indexOf(first.current.path);
    if (rows.current?.scrollOffset && index >= 0)
      rows.current.scrollTo(rows.current.getItemOffset(index) + first.current.offset);
  }, [paths]);
  const list = useMemo(() => {
    const onDrawn = () => {
      const link = box.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] > a`);
      link?.focus({ preventScroll: true });
      if (link && link === document.activeElement) wanted.current = -1;
    };
    return { count: paths.length, onDrawn };
  }, [paths.length]);
  useEffect(() => list.onDrawn());

  const seen = (offset: number) => {
    const index = rows.current?.findItemIndex(offset) ?? 0;
    first.current = { path: paths[index] ?? "", offset: offset - (rows.current?.getItemOffset(index) ?? 0) };
  };
  const move = (event: KeyboardEvent) => {
    const next = placeAfter(event, place, paths.length);
    if (next === undefined || place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    wanted.current = next;
    setFocused(paths[next]!);
    rows.current?.scrollToIndex(next, { align: "nearest" });
  };

  if (paths.length === 0) return null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys are those of the links in it
    <div
      className="inbox-items"
      ref={box}
      onKeyDown={move}
      onFocus={({ target }) => {
        const index = target.closest("li")?.dataset["index"];
        if (index !== undefined) setFocused(paths[Number(index)]!);
      }}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (wanted.current < 0 && !currentTarget.contains(relatedTarget)) setFocused("");
      }}
    >
      <List value={list}>
        <Virtualizer
          ref={rows}
          as="ul"
          item={Row}
          scrollRef={box}
          data={conversations}
          keepMounted={place < 0 ? [] : [place - 1, place, place + 1].filter((one) => paths[one])} // for the Tab key, too
          onScroll={seen}
        >
          {(one, index) => <ConversationItem key={paths[index]} summary={one} />}
        </Virtualizer>
      </List>
    </div>
  );
}
