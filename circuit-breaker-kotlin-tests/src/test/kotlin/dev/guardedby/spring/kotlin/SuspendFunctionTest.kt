package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.BudgetExceededException
import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.circuitbreaker.CircuitState
import dev.guardedby.spring.GuardedBy
import dev.guardedby.spring.models.ModelRequest
import dev.guardedby.spring.models.ModelRequestReader
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import java.io.IOException
import java.time.Duration
import kotlin.time.Duration.Companion.minutes

internal class SuspendFunctionTest {
    private val application = application(Wire::class, Remote::class)

    @Test
    fun outage_isCutOff_andEndsWithTheFirstCallThatWorks() =
        application.tell {
            val remote = bean<Remote>()
            assertThat(remote.ask("a")).isEqualTo("answer to a")
            wire.answer = { throw IOException("down") }
            failing { remote.ask("b") }
            failing { remote.ask("c") }
            assertThat(history("remote")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, open")

            val refused = failing { remote.ask("d") } as CallNotPermittedException
            assertThat(refused.name()).isEqualTo("remote")
            assertThat(refused.state()).isEqualTo(CircuitState.OPEN)
            assertThat(refused.retryAfter()).contains(Duration.ofSeconds(10))
            assertThat(wire.asked).isEqualTo(3)

            wire.answer = { "better" }
            pass(Duration.ofSeconds(10))
            assertThat(remote.ask("e")).isEqualTo("better")
            assertThat(history("remote")).isEqualTo("2 ok, 2 failed, 0 ignored, 1 refused, closed")
        }

    @Test
    fun functionThatSuspends_countsWhenItEnds_notWhenItSuspends() =
        application.tell {
            val pending = CompletableDeferred<String>()
            wire.answer = { pending.await() }
            val answer = scope.async { bean<Remote>().ask("a") }
            letOthersRun()
            assertThat(wire.asked).isEqualTo(1)
            assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed")

            pending.complete("late")
            assertThat(answer.await()).isEqualTo("late")
            assertThat(history("remote")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    /** Resilience4j's issues 1539, 1957 and 2140: the failure counted as a success, and a result was a marker. */
    @Test
    fun functionThatSuspendsAndThenThrows_isOneFailure_andNoSuccess() =
        application.tell {
            val down = IOException("down")
            for (suspending in listOf<suspend () -> Unit>({ delay(1.minutes) }, { yield() }, { withContext(Dispatchers.Default) {} })) {
                breaker("remote").reset()
                val before = breaker("remote").stats()
                wire.answer = {
                    suspending()
                    throw down
                }
                assertThat(failing { bean<Remote>().ask("a") }).isSameAs(down)
                val after = breaker("remote").stats()
                assertThat(after.totalFailures() - before.totalFailures()).isEqualTo(1)
                assertThat(after.totalSuccesses()).isZero()
            }
        }

    @Test
    fun caller_getsTheVeryExceptionThatWasThrown() =
        application.tell {
            for (thrown in listOf(
                IOException("checked"),
                IllegalStateException("unchecked"),
                AssertionError("error"),
                StackOverflowError("fatal to some"),
            )) {
                wire.answer = { throw thrown }
                assertThat(failing { bean<Remote>().ask("a") }).isSameAs(thrown)
                breaker("remote").reset()
            }
            assertThat(history("remote")).isEqualTo("0 ok, 4 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun ignoredException_isNoFailure() =
        application
            .withPropertyValues("guardedby.defaults.ignore-exceptions=java.lang.IllegalArgumentException")
            .tell {
                val mistake = IllegalArgumentException("the caller's mistake")
                wire.answer = {
                    yield()
                    throw mistake
                }
                repeat(3) { assertThat(failing { bean<Remote>().ask("a") }).isSameAs(mistake) }
                assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 3 ignored, 0 refused, closed")
            }

    @Test
    fun cancelledByItsCaller_isIgnored_andFreesItsSlot() =
        application.tell {
            readyToProbe("remote")
            wire.answer = { awaitCancellation() }
            val probe = scope.launch { bean<Remote>().ask("a") }
            letOthersRun()
            failing { bean<Remote>().ask("b") }
            assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 0 ignored, 1 refused, half_open")

            probe.cancelAndJoin()
            assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 1 ignored, 1 refused, half_open")

            wire.answer = { "well" }
            assertThat(bean<Remote>().ask("c")).isEqualTo("well")
            assertThat(history("remote")).isEqualTo("1 ok, 0 failed, 1 ignored, 1 refused, closed")
        }

    @Test
    fun siblingThatFails_cancelsTheCall_whichIsIgnored() =
        application.tell {
            wire.answer = { awaitCancellation() }
            val broken = IllegalStateException("sibling")
            val thrown =
                failing {
                    coroutineScope {
                        launch { bean<Remote>().ask("a") }
                        launch {
                            yield()
                            throw broken
                        }
                    }
                }
            assertThat(thrown).isSameAs(broken)
            assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed")
        }

    @Test
    fun timeoutInsideTheFunction_isAFailure_andOneAroundItIsTheCallersCancellation() =
        application.tell {
            wire.answer = { withTimeout(1.minutes) { awaitCancellation() } }
            assertThat(failing { bean<Remote>().ask("a") }).isInstanceOf(TimeoutCancellationException::class.java)
            assertThat(history("remote")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")

            wire.answer = { awaitCancellation() }
            assertThat(withTimeoutOrNull(1.minutes) { bean<Remote>().ask("b") }).isNull()
            assertThat(history("remote")).isEqualTo("0 ok, 1 failed, 1 ignored, 0 refused, closed")
        }

    @Test
    fun functionThatGivesUpByItself_hasFailed() =
        application.tell {
            wire.answer = { throw CancellationException("its own") }
            supervisorScope { failing { bean<Remote>().ask("a") } }
            assertThat(history("remote")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun functionThatDoesNotSuspend_staysOnTheThreadOfItsCaller() =
        application.tell {
            var thread: Thread? = null
            wire.answer = {
                thread = Thread.currentThread()
                it
            }
            bean<Remote>().ask("a")
            assertThat(thread).isSameAs(Thread.currentThread())
        }

    @Test
    fun callMadeInsideAProbe_ofTheSameBreaker_ridesOnIt() =
        application(Wire::class, Remote::class, Outer::class).tell {
            readyToProbe("remote")
            wire.answer = {
                delay(1)
                "answer to $it"
            }
            assertThat(bean<Outer>().askTwice()).isEqualTo("answer to a, answer to b")
            assertThat(history("remote")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    /** One way in passed the budget by. */
    @Test
    fun litellm11083_spentBudget_refusesASuspendFunction_whoseCancelledCallsCost_too() =
        application
            .withPropertyValues(
                "guardedby.breakers.remote.budgets.calls.calls=2",
                "guardedby.breakers.remote.budgets.calls.window=lifetime",
            ).tell {
                bean<Remote>().ask("a")
                wire.answer = { awaitCancellation() }
                val given = scope.launch { bean<Remote>().ask("b") }
                letOthersRun()
                given.cancelAndJoin()

                val refused = failing { bean<Remote>().ask("c") } as BudgetExceededException

                assertThat(refused.kind()).isEqualTo(BudgetExceededException.Kind.EXHAUSTED)
                assertThat(wire.asked).isEqualTo(2)
                assertThat(history("remote")).isEqualTo("1 ok, 0 failed, 1 ignored, 1 refused, closed")
            }

    @Test
    fun whatAnArgumentAsksAModelFor_isHeld_untilTheFunctionHasEnded() =
        application
            .withBean(ModelRequestReader::class.java, {
                ModelRequestReader.of(Prompt::class.java) { ModelRequest.of(null).withTokens(it.sent, it.received) }
            })
            .withPropertyValues(
                "guardedby.breakers.remote.budgets.tokens.tokens=150",
                "guardedby.breakers.remote.budgets.tokens.window=lifetime",
            ).tell {
                val held = mutableListOf<String>()
                wire.answer = {
                    yield()
                    held += breaker("remote").budgets()[0].held().toPlainString()
                    it
                }
                bean<Remote>().complete(Prompt(10, 90))
                val refused = failing { bean<Remote>().complete(Prompt(61, 90)) } as BudgetExceededException

                assertThat(held).containsExactly("100")
                assertThat(refused.kind()).isEqualTo(BudgetExceededException.Kind.TOO_LARGE)
                assertThat(wire.asked).isEqualTo(1)
            }

    data class Prompt(
        val sent: Long,
        val received: Long,
    )

    open class Remote(
        private val wire: Wire,
    ) {
        @GuardedBy("remote")
        open suspend fun ask(question: String): String = wire.ask(question)

        @GuardedBy("remote")
        open suspend fun complete(prompt: Prompt): String = wire.ask("prompt of ${prompt.sent}")
    }

    open class Outer(
        private val remote: Remote,
    ) {
        @GuardedBy("remote")
        open suspend fun askTwice(): String {
            yield()
            val first = remote.ask("a")
            return first + ", " + withContext(Dispatchers.Default) { remote.ask("b") }
        }
    }
}
