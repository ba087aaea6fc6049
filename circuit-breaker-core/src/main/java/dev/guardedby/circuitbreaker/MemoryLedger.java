package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Book.Entry;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The ledger in memory: a {@link Book} an account.
 *
 * <p>A hold has the monitors of the books it needs and no others, in the order of their numbers, and nothing foreign is asked
 * meanwhile: time comes with the hold. They are monitors and not locks, because these are released where a stack has no room left to
 * do so, too. Books that say nothing any more, such as those of keys that are called no more, go when many new ones
 * have come.
 */
final class MemoryLedger implements Ledger {
    private static final int FEW = 1_024;
    private static final Comparator<Book> BY_NUMBER = Comparator.comparingLong(book -> book.number);

    private final Map<Account, Book> books = new ConcurrentHashMap<>();
    private final Map<Account, Long> limits = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();
    private volatile boolean limited;
    private volatile int sweepAt = FEW;

    @Override
    public CompletionStage<Answer> reserve(Hold hold) {
        return CompletableFuture.completedFuture(hold.lines().size() == 1 ? reserveOne(hold) : reserveAll(hold));
    }

    private Answer reserveOne(Hold hold) {
        Line line = hold.lines().get(0);
        while (true) {
            Book book = book(line.account(), hold.made());
            synchronized (book) {
                if (!book.removed) {
                    book.turnTo(hold.made());
                    return reserveLocked(hold, line, book);
                }
            }
        }
    }

    private Answer reserveLocked(Hold hold, Line line, Book book) {
        long limit = limit(line);
        Entry entry = book.prepare(line, hold);
        Kind refusal = book.refusal(line.amount(), limit);
        if (refusal == null || hold.isForced()) {
            hold.entries = new Entry[] {entry};
            book.hold(entry, line);
        }
        List<Balance> balances = List.of(book.told(limit));
        return refusal == null ? Answer.granted(balances) : Answer.refused(balances, 0, refusal);
    }

    private Answer reserveAll(Hold hold) {
        List<Line> lines = hold.lines();
        while (true) {
            Book[] asked = new Book[lines.size()];
            for (int i = 0; i < asked.length; i++) {
                asked[i] = book(lines.get(i).account(), hold.made());
            }
            Answer answer = with(ordered(asked), 0, () -> reserveLocked(hold, asked));
            if (answer != null) {
                return answer;
            }
        }
    }

    /** Null if a book is no more. */
    private @Nullable Answer reserveLocked(Hold hold, Book[] asked) {
        for (Book book : asked) {
            if (book.removed) {
                return null;
            }
            book.turnTo(hold.made());
        }
        List<Line> lines = hold.lines();
        Entry[] entries = new Entry[asked.length];
        Balance[] balances = new Balance[asked.length];
        int refusing = -1;
        Kind refusal = null;
        for (int i = 0; i < asked.length; i++) {
            entries[i] = asked[i].prepare(lines.get(i), hold);
            Kind kind = asked[i].refusal(lines.get(i).amount(), limit(lines.get(i)));
            if (refusal == null && kind != null) {
                refusing = i;
                refusal = kind;
            }
        }
        boolean booked = refusal == null || hold.isForced();
        if (booked) {
            hold.entries = entries;
        }
        for (int i = 0; i < asked.length; i++) {
            if (booked) {
                asked[i].hold(entries[i], lines.get(i));
            }
            balances[i] = asked[i].told(limit(lines.get(i)));
        }
        return new Answer(List.of(balances), refusing, refusal);
    }

    @Override
    public boolean outlivesProcess() {
        return false;
    }

    @Override
    public CompletionStage<Answer> extend(Extension extension) {
        Entry[] entries = extension.hold().entries;
        if (entries == null) {
            // It was refused, so there is nothing to extend.
            return CompletableFuture.completedFuture(Answer.granted(List.of()));
        }
        Book[] books = new Book[entries.length];
        for (int i = 0; i < entries.length; i++) {
            books[i] = entries[i].book;
        }
        return CompletableFuture.completedFuture(with(ordered(books), 0, () -> extendLocked(extension, entries)));
    }

    private Answer extendLocked(Extension extension, Entry[] entries) {
        for (Entry entry : entries) {
            entry.book.turnTo(extension.now());
        }
        List<Line> lines = extension.lines();
        int refusing = -1;
        Kind refusal = null;
        for (int i = 0; i < entries.length && refusal == null; i++) {
            refusal = entries[i].book.refusal(entries[i], lines.get(i).amount(), limit(lines.get(i)));
            refusing = refusal == null ? -1 : i;
        }
        boolean booked = refusal == null || extension.hold().isForced();
        Balance[] balances = new Balance[entries.length];
        for (int i = 0; i < entries.length; i++) {
            if (booked) {
                entries[i].book.extend(entries[i], lines.get(i), extension.now().nanos());
            }
            balances[i] = entries[i].book.told(limit(lines.get(i)));
        }
        return new Answer(List.of(balances), refusing, refusal);
    }

    @Override
    public CompletionStage<List<Balance>> settle(Settlement settlement) {
        Entry[] entries = settlement.hold().entries;
        if (entries == null) {
            // It was refused, so there is nothing to settle.
            return CompletableFuture.completedFuture(List.of());
        }
        if (entries.length == 1) {
            return CompletableFuture.completedFuture(List.of(settle(entries[0], settlement, 0)));
        }
        Balance[] balances = new Balance[entries.length];
        for (int i = 0; i < entries.length; i++) {
            balances[i] = settle(entries[i], settlement, i);
        }
        return CompletableFuture.completedFuture(List.of(balances));
    }

    private Balance settle(Entry entry, Settlement settlement, int line) {
        Book book = entry.book;
        synchronized (book) {
            book.settle(entry, settlement.revision(), settlement.amount(line), settlement.isBounded(line));
            return book.told(limit(settlement.hold().lines().get(line)));
        }
    }

    @Override
    public CompletionStage<Balance> adjust(Adjustment adjustment) {
        while (true) {
            Book book = book(adjustment.line().account(), adjustment.now());
            synchronized (book) {
                if (!book.removed) {
                    book.turnTo(adjustment.now());
                    book.adjust(adjustment.change());
                    return CompletableFuture.completedFuture(book.told(limit(adjustment.line())));
                }
            }
        }
    }

    @Override
    public CompletionStage<Balance> limit(Line line, Moment now) {
        limits.put(line.account(), line.limit());
        limited = true;
        return CompletableFuture.completedFuture(look(line, now));
    }

    @Override
    public CompletionStage<List<Balance>> look(List<Line> lines, Moment now) {
        return CompletableFuture.completedFuture(
                lines.stream().map(line -> look(line, now)).toList());
    }

    private Balance look(Line line, Moment now) {
        Book book = books.get(line.account());
        if (book == null) {
            return Book.untouched(line.account(), now, limit(line));
        }
        synchronized (book) {
            book.turnTo(now);
            return book.balance(limit(line));
        }
    }

    private long limit(Line line) {
        if (!limited) {
            return line.limit();
        }
        Long set = limits.get(line.account());
        if (set == null && line.account().key() != null) {
            set = limits.get(line.account().ofBreaker());
        }
        return set == null ? line.limit() : set;
    }

    private static Book[] ordered(Book[] books) {
        Book[] ordered = books.clone();
        Arrays.sort(ordered, BY_NUMBER);
        return ordered;
    }

    /** Does something while nobody else has any of the books; a monitor each, from one index on. */
    private static <T extends @Nullable Object> T with(Book[] ordered, int from, Supplier<T> action) {
        if (from == ordered.length) {
            return action.get();
        }
        synchronized (ordered[from]) {
            return with(ordered, from + 1, action);
        }
    }

    private Book book(Account account, Moment now) {
        Book present = books.get(account);
        if (present != null) {
            return present;
        }
        if (books.size() >= sweepAt) {
            sweep(now);
        }
        return books.computeIfAbsent(account, made -> new Book(made, numbers.incrementAndGet(), now));
    }

    private void sweep(Moment now) {
        books.values().removeIf(book -> isOver(book, now));
        sweepAt = Math.max(FEW, 2 * books.size());
    }

    private static boolean isOver(Book book, Moment now) {
        synchronized (book) {
            book.removed |= book.isForgettable(now);
            return book.removed;
        }
    }

    /** How many accounts are kept. */
    int size() {
        return books.size();
    }
}
