package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.retry
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.reactor.awaitSingle
import kotlinx.coroutines.reactor.mono
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.springframework.resilience.annotation.Retryable
import reactor.core.publisher.Mono
import java.io.IOException
import kotlin.time.Duration.Companion.minutes

internal class FlowTest {
    private val application = application(Source::class, Remote::class)

    @Test
    fun admission_isAtTheCollection_notAtTheCall_andOneForEach() =
        application.tell {
            val tokens = bean<Remote>().stream("a")
            assertThat(history("stream")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed")
            assertThat(tokens.toList()).containsExactly("a1", "a2")
            assertThat(history("stream")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")

            breaker("stream").holdOpen()
            assertThat(failing { tokens.toList() }).isInstanceOf(CallNotPermittedException::class.java)
            breaker("stream").reset()
            assertThat(tokens.toList()).containsExactly("a1", "a2")
            assertThat(history("stream")).isEqualTo("2 ok, 0 failed, 0 ignored, 1 refused, closed")
        }

    @Test
    fun whileOpen_nothingIsCollected() =
        application.tell {
            breaker("stream").holdOpen()
            val tokens = bean<Remote>().stream("a")
            assertThat(failing { tokens.collect {} }).isInstanceOf(CallNotPermittedException::class.java)
            assertThat(bean<Source>().collected).isZero()
            assertThat(tokens.catch { emit("refused") }.toList()).containsExactly("refused")
            assertThat(history("stream")).isEqualTo("0 ok, 0 failed, 0 ignored, 2 refused, open")
        }

    @Test
    fun emptyFlow_isASuccess() =
        application.tell {
            bean<Source>().tokens = { emptyFlow() }
            assertThat(bean<Remote>().stream("a").firstOrNull()).isNull()
            assertThat(history("stream")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun errorAfterItems_isAFailure_andThatVeryError() =
        application.tell {
            val down = IOException("down")
            bean<Source>().tokens = {
                flow {
                    emit("1")
                    yield()
                    throw down
                }
            }
            val seen = mutableListOf<String>()
            assertThat(failing { bean<Remote>().stream("a").collect { seen += it } }).isSameAs(down)
            assertThat(seen).containsExactly("1")
            assertThat(history("stream")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun functionThatThrowsBeforeItHasAFlow_fails_whenCollected() =
        application.tell {
            val down = IOException("no connection")
            bean<Source>().tokens = { throw down }
            val tokens = bean<Remote>().stream("a")
            assertThat(failing { tokens.collect {} }).isSameAs(down)
            assertThat(history("stream")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun collectorThatHasSeenEnough_isASuccess() =
        application.tell {
            bean<Source>().tokens = {
                flow {
                    emit("1")
                    emit("2")
                    awaitCancellation()
                }
            }
            assertThat(bean<Remote>().stream("a").first()).isEqualTo("1")
            assertThat(bean<Remote>().stream("b").take(2).toList()).containsExactly("1", "2")
            assertThat(withTimeoutOrNull(1.minutes) { bean<Remote>().stream("c").toList() }).isNull()
            assertThat(history("stream")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun collectorThatFails_saysNothingAboutTheRemote_whichHasAnswered() =
        application.tell {
            val mine = IllegalStateException("the collector's own")
            assertThat(failing { bean<Remote>().stream("a").collect { throw mine } }).isSameAs(mine)
            val late = failing {
                bean<Remote>().stream("a").collect {
                    yield()
                    throw mine
                }
            }
            assertThat(late).isSameAs(mine)
            assertThat(history("stream")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun cancelBeforeTheFirstItem_freesTheSlot_andIsIgnored() =
        application.tell {
            bean<Source>().tokens = { flow { awaitCancellation() } }
            readyToProbe("stream")
            val collection = scope.launch { bean<Remote>().stream("a").first { false } }
            letOthersRun()
            assertThat(failing { bean<Remote>().stream("b").collect {} })
                .isInstanceOf(CallNotPermittedException::class.java)
            collection.cancelAndJoin()
            assertThat(history("stream")).isEqualTo("0 ok, 0 failed, 1 ignored, 1 refused, half_open")

            bean<Source>().tokens = { flowOf("1") }
            assertThat(bean<Remote>().stream("c").toList()).containsExactly("1")
            assertThat(history("stream")).isEqualTo("1 ok, 0 failed, 1 ignored, 1 refused, closed")
        }

    @Test
    fun flowThatGivesUpByItself_hasFailed() =
        application.tell {
            bean<Source>().tokens = { flow { throw CancellationException("its own") } }
            assertThat(failing { bean<Remote>().stream("a").collect {} })
                .isInstanceOf(CancellationException::class.java)
            assertThat(history("stream")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun timeoutInsideTheFlow_isAFailure() =
        application.tell {
            bean<Source>().tokens = {
                flow {
                    emit("1")
                    withTimeout(1.minutes) { awaitCancellation() }
                }
            }
            assertThat(failing { bean<Remote>().stream("a").collect {} })
                .isInstanceOf(TimeoutCancellationException::class.java)
            assertThat(history("stream")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun everyOperator_andEveryKindOfFlow_worksAsBefore() =
        application.tell {
            val remote = bean<Remote>()
            assertThat(remote.stream("a").map { it + "!" }.buffer(1).flowOn(Dispatchers.Default).toList())
                .containsExactly("a1!", "a2!")
            assertThat(flow { emitAll(remote.stream("b")) }.toList()).containsExactly("b1", "b2")
            bean<Source>().tokens = {
                callbackFlow {
                    send("x")
                    channel.close()
                    awaitClose {}
                }.flowOn(Dispatchers.Default).buffer(2)
            }
            assertThat(flow { emitAll(remote.stream("c").onEach { delay(1.minutes) }) }.toList()).containsExactly("x")
            assertThat(history("stream")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun retryOfTheCollector_isACallEach() =
        application.tell {
            var tries = 0
            bean<Source>().tokens = { flow { if (++tries == 1) throw IOException("down") else emit("up") } }
            assertThat(bean<Remote>().stream("a").retry(2).toList()).containsExactly("up")
            assertThat(history("stream")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun suspendFunctionThatReturnsAFlow_isACallForEachCollection() =
        application.tell {
            val tokens = bean<Remote>().opened("a")
            assertThat(tokens.toList()).containsExactly("a1", "a2")
            breaker("opened").holdOpen()
            assertThat(failing { bean<Remote>().opened("b").toList() })
                .isInstanceOf(CallNotPermittedException::class.java)
            breaker("opened").reset()
            bean<Source>().tokens = {
                flow {
                    emit("1")
                    throw IOException("down")
                }
            }
            failing { bean<Remote>().opened("c").toList() }
            bean<Source>().tokens = {
                flow {
                    emit("1")
                    awaitCancellation()
                }
            }
            assertThat(bean<Remote>().opened("d").first()).isEqualTo("1")
            assertThat(history("opened")).isEqualTo("2 ok, 1 failed, 0 ignored, 1 refused, closed")
        }

    @Test
    fun collectionInsideAProbe_ofTheSameBreaker_ridesOnIt() =
        application(Source::class, Remote::class, Outer::class).tell {
            readyToProbe("stream")
            assertThat(bean<Outer>().twice().toList()).containsExactly("a1", "a2", "b1", "b2")
            assertThat(history("stream")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    class Source {
        var collected = 0
            private set
        var tokens: (String) -> Flow<String> = { flowOf(it + "1", it + "2") }

        fun stream(question: String): Flow<String> = tokens(question).onStart { collected++ }
    }

    @Test
    fun fallbackAroundARetry_asksInsideOfTheProbeThatItsCollectorIsIn() =
        application(RetriedSource::class, Probe::class).withUserConfiguration(Retries::class.java).tell {
            readyToProbe("ridden")
            assertThat(bean<Probe>().ask().awaitSingle()).containsExactly("item")
            assertThat(history("ridden")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    open class RetriedSource {
        @GuardedBy("ridden", fallback = "none")
        @Retryable(maxRetries = 1, excludes = [CallNotPermittedException::class])
        open fun items(): Flow<String> = flowOf("item")

        fun none(): Flow<String> = flowOf("none")
    }

    open class Probe(
        private val inner: RetriedSource,
    ) {
        @GuardedBy("ridden")
        open fun ask(): Mono<List<String>> = mono(Dispatchers.Default) { inner.items().toList() }
    }

    open class Remote(
        private val source: Source,
    ) {
        @GuardedBy("stream")
        open fun stream(question: String): Flow<String> = source.stream(question)

        @GuardedBy("opened")
        open suspend fun opened(question: String): Flow<String> {
            yield()
            return source.stream(question)
        }
    }

    open class Outer(
        private val remote: Remote,
    ) {
        @GuardedBy("stream")
        open fun twice(): Flow<String> =
            flow {
                yield()
                emitAll(remote.stream("a"))
                delay(1.minutes)
                emitAll(remote.stream("b"))
            }
    }
}
