package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.Ledger.Account;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Moment;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One account of the ledger in memory. All but its fields that never change belongs to whoever has its monitor.
 *
 * <p>The present window is a few {@link Page}s: one slice each of a rolling window, else a single one. The sums of the book are
 * those of its pages. A page that is torn out, because its time is over, is still written to by the calls that reserved on it,
 * and nobody reads it any more.
 */
final class Book {
    /** For how long a window that has ended is remembered, lest a wall clock that steps back finds it empty. */
    private static final long REMEMBERED_SECONDS = 3_600;

    final long number;
    /** Nobody finds it any more: whoever has it must look for the one that took its place. */
    boolean removed;

    private final Account account;
    private final long origin;
    private final ArrayDeque<Page> pages = new ArrayDeque<>();
    /** Holds under way by the time they have, each list the oldest first. A book meets few different times. */
    private final List<Holds> holds = new ArrayList<>(1);
    /** Null for a rolling window. */
    private @Nullable Span span;

    private long spent;
    private long held;
    /** Holds of the window that may be passed. */
    private int soft;

    private long peak;
    private long peakSlice;

    Book(Account account, long number, Moment now) {
        this.account = account;
        this.number = number;
        this.origin = now.nanos();
        this.span = spanAt(account, now);
        pages.add(new Page(0));
    }

    private static @Nullable Span spanAt(Account account, Moment now) {
        return account.window() instanceof CalendarWindow calendar
                ? calendar.span(Objects.requireNonNull(now.wall(), "wall"))
                : account.span(Instant.MIN).orElse(null);
    }

    /** How an account stands of which there is no book. */
    static Balance untouched(Account account, Moment now, long limit) {
        Span span = spanAt(account, now);
        return new Balance(limit, 0, 0, 0, BudgetStatus.Kind.EXACT, span == null ? null : span.resetsAt());
    }

    /** Why an amount does not fit, or null if it does. */
    static @Nullable Kind refusal(long amount, long limit, long spent, long held) {
        long used = spent > Long.MAX_VALUE - held ? Long.MAX_VALUE : spent + held;
        if (used < limit && amount <= limit - used) {
            return null;
        }
        if (amount > limit) {
            return Kind.TOO_LARGE;
        }
        return spent < limit && amount <= limit - spent ? Kind.RESERVED : Kind.EXHAUSTED;
    }

    @Nullable Kind refusal(long amount, long limit) {
        return refusal(amount, limit, spent, held);
    }

    /** Why a hold cannot be raised to an amount, or null if it can. */
    @Nullable Kind refusal(Entry entry, long amount, long limit) {
        long own = entry.held + entry.charged;
        if (entry.revision > 0 || amount <= own) {
            return null;
        }
        Page page = entry.page;
        long spentByOthers = Math.max(0, (page.tornOut ? page.spent : spent) - entry.charged);
        long heldByOthers = (page.tornOut ? page.held : held) - entry.held;
        // What it holds already is as good as spent: nothing comes back to it when others end.
        return refusal(amount - own, limit, Math.min(spentByOthers, Long.MAX_VALUE - own) + own, heldByOthers);
    }

    /** Begins the window of a time, if it is a later one, and takes holds whose time is over for lost. */
    void turnTo(Moment now) {
        // First: what is lost counts as spent on its own page, which may be about to go.
        lose(now.nanos());
        if (account.window() instanceof RollingWindow rolling) {
            turnTo(rolling, Math.floorDiv(now.nanos() - origin, rolling.sliceNanos()));
        } else if (account.window() instanceof CalendarWindow calendar) {
            turnTo(calendar, Objects.requireNonNull(now.wall(), "wall"));
        }
    }

    private void turnTo(CalendarWindow window, Instant wall) {
        Span present = Objects.requireNonNull(span);
        if (wall.isBefore(present.end()) || present.contains(wall)) {
            // A wall clock that has stepped back stays in the window in which it was.
            return;
        }
        Span next = window.span(wall);
        pages.add(new Page(0));
        span = next;
        tearOutFirst();
        peak = 0;
    }

    private void turnTo(RollingWindow window, long slice) {
        long first = slice - window.slices() + 1;
        while (pages.size() > 1 && pages.getFirst().slice < first) {
            tearOutFirst();
        }
        if (slice > pages.getLast().slice) {
            pages.add(new Page(slice));
            if (pages.getFirst().slice < first) {
                tearOutFirst();
            }
        }
        // For want of a window that begins, levels are passed anew once a whole length has gone by.
        if (slice - peakSlice >= window.slices()) {
            peakSlice = slice;
            peak = spent;
        }
    }

    private void tearOutFirst() {
        Page page = pages.removeFirst();
        page.tornOut = true;
        spent -= page.spent;
        held -= page.held;
        soft -= page.soft;
    }

    private void lose(long now) {
        for (Iterator<Holds> lists = holds.iterator(); lists.hasNext(); ) {
            Holds list = lists.next();
            for (Entry oldest = list.first; oldest != null && list.isOver(oldest, now); oldest = list.first) {
                long amount = oldest.held;
                release(oldest);
                oldest.charged = charge(oldest.page, amount);
            }
            if (list.first == null && holds.size() > 1) {
                lists.remove();
            }
        }
    }

    /** Makes room for a hold, so that nothing can go wrong any more when it is made. */
    Entry prepare(Line line, Hold hold) {
        return new Entry(
                this,
                pages.getLast(),
                listFor(hold.timeout().toNanos()),
                line,
                hold.made().nanos());
    }

    private Holds listFor(long timeout) {
        for (int i = 0; i < holds.size(); i++) {
            if (holds.get(i).timeout == timeout) {
                return holds.get(i);
            }
        }
        Holds made = new Holds(timeout);
        holds.add(made);
        return made;
    }

    void hold(Entry entry, Line line) {
        hold(entry, line.amount(), line.soft());
    }

    private void hold(Entry entry, long amount, boolean soft) {
        Page page = entry.page;
        // What is forced on a book need not fit; the sum stops where it ends.
        entry.held = Math.min(amount, Long.MAX_VALUE - (page.tornOut ? page.held : held));
        mark(entry, entry.soft || soft);
        page.held += entry.held;
        held += page.tornOut ? 0 : entry.held;
        entry.list.add(entry);
    }

    /** Raises a hold, and begins its time anew; if it was lost, it is held again. */
    void extend(Entry entry, Line line, long now) {
        if (entry.revision > 0) {
            return;
        }
        long amount = Math.max(line.amount(), entry.held + entry.charged);
        // The list it was in may be gone, if it was empty.
        Holds list = listFor(entry.list.timeout);
        release(entry);
        refund(entry.page, entry.charged);
        entry.charged = 0;
        entry.list = list;
        entry.madeAt = now;
        hold(entry, amount, line.soft());
    }

    void settle(Entry entry, long revision, long amount, boolean bounded) {
        if (revision <= entry.revision) {
            return;
        }
        entry.revision = revision;
        release(entry);
        refund(entry.page, entry.charged);
        entry.charged = charge(entry.page, amount);
        mark(entry, entry.soft && !bounded);
    }

    private static void mark(Entry entry, boolean soft) {
        if (entry.soft != soft) {
            entry.soft = soft;
            entry.page.soft += soft ? 1 : -1;
            entry.book.soft += entry.page.tornOut ? 0 : soft ? 1 : -1;
        }
    }

    private void release(Entry entry) {
        if (entry.list.remove(entry)) {
            entry.page.held -= entry.held;
            held -= entry.page.tornOut ? 0 : entry.held;
            entry.held = 0;
        }
    }

    /** Adds to what is spent, and answers how much of it found room below the end of numbers. */
    private long charge(Page page, long amount) {
        long charged = Math.min(amount, Long.MAX_VALUE - (page.tornOut ? page.spent : spent));
        page.spent += charged;
        spent += page.tornOut ? 0 : charged;
        return charged;
    }

    /** Takes from what is spent, and answers how much there was. */
    private long refund(Page page, long amount) {
        long refunded = Math.min(amount, page.spent);
        page.spent -= refunded;
        spent -= page.tornOut ? 0 : refunded;
        return refunded;
    }

    void adjust(long change) {
        if (change >= 0) {
            long unused = charge(pages.getLast(), change);
            return;
        }
        // The youngest first: a mistake is corrected soon, and what is older goes by itself.
        long rest = change == Long.MIN_VALUE ? Long.MAX_VALUE : -change;
        for (Iterator<Page> youngest = pages.descendingIterator(); youngest.hasNext(); ) {
            rest -= refund(youngest.next(), rest);
        }
    }

    /** How it stands, for somebody who passes on which levels were passed. */
    Balance told(long limit) {
        Balance balance = balance(limit);
        peak = Math.max(peak, spent);
        return balance;
    }

    Balance balance(long limit) {
        BudgetStatus.Kind kind = soft > 0 ? BudgetStatus.Kind.SOFT : BudgetStatus.Kind.EXACT;
        return new Balance(limit, spent, held, peak, kind, span == null ? null : span.resetsAt());
    }

    /** Whether a new book would say the same. */
    boolean isForgettable(Moment now) {
        Instant wall = now.wall();
        if (account.window() instanceof CalendarWindow) {
            Instant end = Objects.requireNonNull(span).end();
            return wall != null
                    && end.isBefore(wall)
                    && wall.getEpochSecond() - end.getEpochSecond() > REMEMBERED_SECONDS;
        }
        turnTo(now);
        return spent == 0 && held == 0;
    }

    /** A sum of its own within the window. */
    private static final class Page {
        final long slice;
        long spent;
        long held;
        int soft;
        boolean tornOut;

        Page(long slice) {
            this.slice = slice;
        }
    }

    /** What one hold has in one book. */
    static final class Entry {
        final Book book;
        private final Page page;
        private Holds list;
        private long madeAt;
        private long held;
        private long charged;
        private long revision;
        private boolean soft;
        private boolean listed;
        private @Nullable Entry earlier;
        private @Nullable Entry later;

        Entry(Book book, Page page, Holds list, Line line, long madeAt) {
            this.book = book;
            this.page = page;
            this.list = list;
            this.held = line.amount();
            this.madeAt = madeAt;
        }
    }

    /** The holds under way that have the same time, the oldest first. */
    private static final class Holds {
        final long timeout;
        private @Nullable Entry first;
        private @Nullable Entry last;

        Holds(long timeout) {
            this.timeout = timeout;
        }

        boolean isOver(Entry entry, long now) {
            return now - entry.madeAt >= timeout;
        }

        void add(Entry entry) {
            entry.listed = true;
            entry.earlier = last;
            if (last == null) {
                first = entry;
            } else {
                last.later = entry;
            }
            last = entry;
        }

        boolean remove(Entry entry) {
            if (!entry.listed) {
                return false;
            }
            entry.listed = false;
            Entry before = entry.earlier;
            Entry after = entry.later;
            if (before == null) {
                first = after;
            } else {
                before.later = after;
            }
            if (after == null) {
                last = before;
            } else {
                after.earlier = before;
            }
            entry.earlier = null;
            entry.later = null;
            return true;
        }
    }
}
