package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.Cost
import dev.guardedby.spring.CostRecorder
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import java.io.IOException
import java.math.BigDecimal
import kotlin.time.Duration.Companion.minutes

/** What a coroutine knows of the call that it is in, and what it keeps of its caller. */
internal class CoroutineContextTest {
    private val application = application(Wire::class, Model::class, Agent::class)

    @Test
    fun expression_readsTheResult_andTheArgumentsByName() =
        application.tell {
            bean<Model>().answer("a", BigDecimal("0.1"))
            assertThat(bill("expression")).isEqualTo("3 in, 4 out, 0.1 usd")
            bean<Model>().priced("a", BigDecimal("0.3"))
            assertThat(bill("arguments")).isEqualTo("0 in, 0 out, 0.3 usd")
        }

    @Test
    fun expression_isNotEvaluatedAfterAFailure() =
        application.tell {
            wire.answer = { throw IOException("down") }
            failing { bean<Model>().answer("a", BigDecimal.ONE) }
            assertThat(bill("expression")).isEqualTo("0 in, 0 out, 0 usd")
        }

    @Test
    fun record_afterASuspension_onAnotherDispatcher_isBookedOnThatCall() =
        application.tell {
            bean<Model>().recording()
            assertThat(bill("recorded")).isEqualTo("111 in, 0 out, 0 usd")
        }

    @Test
    fun record_inAChildCoroutine_isBookedOnTheCall() =
        application.tell {
            bean<Model>().recordingInChildren()
            assertThat(bill("recorded")).isEqualTo("11 in, 0 out, 0 usd")
        }

    @Test
    fun record_replacesTheExpression() =
        application.tell {
            bean<Model>().both()
            assertThat(bill("both")).isEqualTo("7 in, 0 out, 0 usd")
        }

    @Test
    fun record_ofANestedCall_isBookedThere_andTheOuterCallGoesOn() =
        application.tell {
            bean<Agent>().run()
            assertThat(bill("agent")).isEqualTo("101 in, 0 out, 0 usd")
            assertThat(bill("recorded")).isEqualTo("111 in, 0 out, 0 usd")
        }

    @Test
    fun callsThatTakeTurnsOnOneThread_areBookedApart() =
        application.tell {
            val first = CompletableDeferred<Unit>()
            val second = CompletableDeferred<Unit>()
            coroutineScope {
                launch { bean<Model>().recordingAround(first, 1) }
                launch { bean<Agent>().recordingAround(second, 10) }
                launch {
                    letOthersRun()
                    bean<CostRecorder>().record(1000, 0, BigDecimal.ZERO)
                    second.complete(Unit)
                    yield()
                    first.complete(Unit)
                }
            }
            bean<CostRecorder>().record(1000, 0, BigDecimal.ZERO)
            assertThat(bill("recorded")).isEqualTo("2 in, 0 out, 0 usd")
            assertThat(bill("agent")).isEqualTo("20 in, 0 out, 0 usd")
        }

    @Test
    fun record_inAFlow_isBookedOnItsCall_andWhatItsCollectorRecordsIsNot() =
        application.tell {
            bean<Model>().recordingItems().collect {
                bean<CostRecorder>().record(1000, 0, BigDecimal.ZERO)
                yield()
                bean<CostRecorder>().record(1000, 0, BigDecimal.ZERO)
            }
            assertThat(bill("items")).isEqualTo("1111 in, 0 out, 0 usd")

            bean<Agent>().collecting()
            assertThat(bill("items")).isEqualTo("2222 in, 0 out, 0 usd")
            assertThat(bill("agent")).isEqualTo("20 in, 0 out, 0 usd")
        }

    @Test
    fun expression_ofAFlow_readsItsLastItem() =
        application.tell {
            assertThat(bean<Model>().answers().toList()).hasSize(2)
            assertThat(bill("answers")).isEqualTo("2 in, 0 out, 0 usd")
        }

    @Test
    fun elementsOfTheCaller_areThereInTheFunction_andAfterIt() =
        application.tell {
            val seen = mutableListOf<String?>()
            wire.answer = {
                seen += "${user.get()} ${currentCoroutineContext()[CoroutineName]?.name}"
                delay(1.minutes)
                seen += "${user.get()} ${currentCoroutineContext()[CoroutineName]?.name}"
                withContext(Dispatchers.Default) { seen += "${user.get()} on another" }
                it
            }
            withContext(user.asContextElement("Ada") + CoroutineName("caller")) {
                bean<Model>().answer("a", BigDecimal.ONE)
                seen += "${user.get()} afterwards"
            }
            seen += "${user.get()} outside"
            assertThat(seen)
                .containsExactly("Ada caller", "Ada caller", "Ada on another", "Ada afterwards", "null outside")
        }

    @Test
    fun elementsOfTheCollector_areThereInTheFlow_andInTheCollector() =
        application.tell {
            val seen = mutableListOf<String?>()
            val names =
                bean<Model>().named {
                    seen += "${user.get()} ${currentCoroutineContext()[CoroutineName]?.name}"
                }
            withContext(user.asContextElement("Ada") + CoroutineName("collector")) {
                names.collect { seen += "$it: ${user.get()} ${currentCoroutineContext()[CoroutineName]?.name}" }
                assertThat(flow { names.collect { emit(it) } }.flowOn(Dispatchers.Default).toList()).containsExactly("1")
            }
            assertThat(seen)
                .containsExactly("Ada collector", "1: Ada collector", "Ada collector", "Ada collector", "Ada collector")
        }

    @Test
    fun structureOfTheCaller_isKept_whatTheFunctionLaunchesEndsBeforeIt() =
        application.tell {
            val done = mutableListOf<String>()
            wire.answer = {
                coroutineScope {
                    launch {
                        delay(1.minutes)
                        done += "child"
                    }
                }
                it
            }
            bean<Model>().answer("a", BigDecimal.ONE)
            assertThat(done).containsExactly("child")
            assertThat(currentCoroutineContext()[Job]!!.isActive).isTrue()
            assertThat(scope.async { bean<Model>().answer("b", BigDecimal.ONE).text }.await()).isEqualTo("b")
        }

    class Answer(
        val text: String,
        val cost: Cost,
    )

    open class Model(
        private val wire: Wire,
        private val costs: CostRecorder,
    ) {
        @GuardedBy("expression", cost = "#result.cost")
        open suspend fun answer(
            question: String,
            usd: BigDecimal,
        ): Answer = Answer(wire.ask(question), Cost.of(3, 4, usd))

        @GuardedBy("arguments", cost = "#question.length() * #usd")
        open suspend fun priced(
            question: String,
            usd: BigDecimal,
        ): String {
            yield()
            return question + usd
        }

        @GuardedBy("recorded")
        open suspend fun recording() {
            record(1)
            withContext(Dispatchers.Default) {
                delay(1)
                record(10)
            }
            record(100)
        }

        @GuardedBy("recorded")
        open suspend fun recordingInChildren() =
            coroutineScope {
                launch { record(1) }
                launch(Dispatchers.Default) { record(10) }
                Unit
            }

        @GuardedBy("recorded")
        open suspend fun recordingAround(
            gate: CompletableDeferred<Unit>,
            tokens: Long,
        ) {
            record(tokens)
            gate.await()
            record(tokens)
        }

        @GuardedBy("both", cost = "2")
        open suspend fun both() {
            yield()
            record(7)
        }

        @GuardedBy("items")
        open fun recordingItems(): Flow<String> =
            flow {
                record(1)
                emit("first")
                record(10)
                delay(1.minutes)
                record(100)
                emit("second")
                withContext(Dispatchers.Default) { record(1000) }
            }

        @GuardedBy("answers", cost = "#result.cost")
        open fun answers(): Flow<Answer> =
            flow {
                emit(Answer("a", Cost.of(1, 0, BigDecimal.ZERO)))
                emit(Answer("b", Cost.of(2, 0, BigDecimal.ZERO)))
            }

        @GuardedBy("named")
        open fun named(look: suspend () -> Unit): Flow<String> =
            flow {
                look()
                emit("1")
                yield()
                look()
            }

        private fun record(tokens: Long) = costs.record(tokens, 0, BigDecimal.ZERO)
    }

    open class Agent(
        private val model: Model,
        private val costs: CostRecorder,
    ) {
        @GuardedBy("agent")
        open suspend fun run() {
            record(1)
            model.recording()
            record(100)
        }

        @GuardedBy("agent")
        open suspend fun recordingAround(
            gate: CompletableDeferred<Unit>,
            tokens: Long,
        ) {
            record(tokens)
            gate.await()
            record(tokens)
        }

        @GuardedBy("agent")
        open suspend fun collecting() =
            model.recordingItems().collect {
                yield()
                record(10)
            }

        private fun record(tokens: Long) = costs.record(tokens, 0, BigDecimal.ZERO)
    }

    private companion object {
        val user = ThreadLocal<String?>()
    }
}
