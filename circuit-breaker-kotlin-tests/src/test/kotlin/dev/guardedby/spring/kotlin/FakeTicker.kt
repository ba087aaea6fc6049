package dev.guardedby.spring.kotlin

import java.time.Duration
import java.util.concurrent.atomic.AtomicLong
import java.util.function.LongSupplier

/** Time that a test moves by hand; it starts near overflow, so that a comparison other than by difference fails. */
class FakeTicker : LongSupplier {
    private val now = AtomicLong(Long.MAX_VALUE - 1_000_000)

    fun advance(step: Duration) {
        now.addAndGet(step.toNanos())
    }

    override fun getAsLong(): Long = now.get()
}
