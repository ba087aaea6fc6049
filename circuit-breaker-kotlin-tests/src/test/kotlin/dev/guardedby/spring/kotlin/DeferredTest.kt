package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.springframework.resilience.annotation.Retryable
import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger

internal class DeferredTest {
    private val application = application(Remote::class)

    @Test
    fun deferred_countsWhenItEnds() =
        application.tell {
            val remote = bean<Remote>()
            val down = IOException("down")
            val good = CompletableDeferred<String>()
            val bad = CompletableDeferred<String>()
            val answers = listOf(remote.begin(good), remote.begin(bad))
            assertThat(history("deferred")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed")

            good.complete("late")
            bad.completeExceptionally(down)
            assertThat(answers[0].await()).isEqualTo("late")
            assertThat(failing { answers[1].await() }).isSameAs(down)
            assertThat(history("deferred")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed")

            breaker("deferred").holdOpen()
            assertThat(failing { remote.begin(good).await() }).isInstanceOf(CallNotPermittedException::class.java)
        }

    @Test
    fun openBreaker_startsNothing() =
        application.tell {
            breaker("deferred").holdOpen()
            val started = AtomicInteger()
            val refused = bean<Remote>().start(started)

            assertThat(failing { refused.await() }).isInstanceOf(CallNotPermittedException::class.java)
            assertThat(started).hasValue(0)
            breaker("deferred").reset()
            assertThat(bean<Remote>().start(started).await()).isEqualTo("started 1")
        }

    @Test
    fun cancellingTheDeferred_cancelsTheCall_andIsNoFailure() =
        application.tell {
            val pending = CompletableDeferred<String>()
            bean<Remote>().begin(pending).cancel()
            assertThat(pending.isCancelled).isTrue()
            assertThat(history("deferred")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed")
        }

    @Test
    fun calledFromAnUnconfinedCoroutine_hasBegunWhenItReturns() =
        application.tell {
            val started = AtomicInteger()
            val seen = mutableListOf<String>()
            coroutineScope {
                launch(Dispatchers.Unconfined) {
                    val answer = bean<Remote>().start(started)
                    seen += "$started begun"
                    seen += answer.await()
                }
            }
            assertThat(seen).containsExactly("1 begun", "started 1")
        }

    @Test
    fun fallbackAroundARetry_asksBeforeTheProbeBegins_andGetsItsAnswer() =
        application(RetriedRemote::class).withUserConfiguration(Retries::class.java).tell {
            readyToProbe("retried")
            assertThat(bean<RetriedRemote>().ask().await()).isEqualTo("answer")
            assertThat(history("retried")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")

            breaker("retried").holdOpen()
            assertThat(bean<RetriedRemote>().ask().await()).isEqualTo("substitute")
            assertThat(history("retried")).isEqualTo("1 ok, 0 failed, 0 ignored, 1 refused, open")
        }

    open class RetriedRemote {
        @GuardedBy("retried", fallback = "substitute")
        @Retryable(maxRetries = 1, excludes = [CallNotPermittedException::class])
        open fun ask(): Deferred<String> = CompletableDeferred("answer")

        fun substitute(): Deferred<String> = CompletableDeferred("substitute")
    }

    open class Remote {
        @GuardedBy("deferred")
        open fun start(started: AtomicInteger): Deferred<String> =
            CompletableDeferred("started ${started.incrementAndGet()}")

        @GuardedBy("deferred")
        open fun begin(answer: Deferred<String>): Deferred<String> = answer
    }
}
