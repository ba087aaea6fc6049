package dev.guardedby.circuitbreaker;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The price book that is in force. It can be reloaded while calls run; a call keeps the book that it took at its start.
 *
 * <p>Thread-safe. Reading the book is one volatile read.
 */
public final class Prices {
    /** A book, and how many reads of the source had begun before its own. */
    private record Read(long number, PriceBook book) {}

    private final Supplier<PriceBook> source;
    private final AtomicLong reads = new AtomicLong();
    private final Object replacing = new Object();
    private volatile Read current;

    private Prices(Supplier<PriceBook> source) {
        this.source = source;
        this.current = read();
    }

    /**
     * Prices from a source, which is read at once. What it throws is thrown on.
     *
     * @param source reads the prices, each time anew; called by the thread that reloads, by several at once if they do
     */
    public static Prices from(Supplier<PriceBook> source) {
        return new Prices(source);
    }

    private Read read() {
        long number = reads.getAndIncrement();
        return new Read(number, Objects.requireNonNull(source.get(), "the source of prices gave null"));
    }

    /** The book in force. */
    public PriceBook current() {
        return current.book;
    }

    /**
     * Reads the source again, and puts what it gives in force. What it throws is thrown on, and then the old book stays.
     *
     * @return the book in force: the new one, unless another reload that began later was quicker
     */
    public PriceBook reload() {
        Read read = read();
        synchronized (replacing) {
            if (read.number > current.number) {
                current = read;
            }
            return current.book;
        }
    }
}
