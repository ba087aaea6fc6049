package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.circuitbreaker.Cost
import dev.guardedby.spring.CostRecorder
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.springframework.stereotype.Service
import java.io.IOException

/** The example of the README, opened by the compiler plugin as there. */
internal class KotlinReadmeTest {
    @Test
    fun example_doesWhatTheReadmeSays() =
        application(Model::class, Assistant::class).tell {
            val assistant = bean<Assistant>()
            assertThat(assistant.ask("a")).isEqualTo("answer to a")
            assertThat(bill("llm")).isEqualTo("3 in, 4 out, 0.02 usd")
            assertThat(assistant.stream("a").toList()).containsExactly("a", "!")

            bean<Model>().outage = IOException("down")
            assertThat(failing { assistant.ask("b") }).isSameAs(bean<Model>().outage)
            assertThat(failing { assistant.stream("b").toList() }).isSameAs(bean<Model>().outage)
            assertThat(assistant.ask("c")).isEqualTo("Please ask again in a minute.")
            assertThat(history("llm")).isEqualTo("2 ok, 2 failed, 0 ignored, 1 refused, open")
        }

    class Answer(
        val text: String,
        val cost: Cost,
    )

    class Model {
        var outage: IOException? = null

        suspend fun answer(question: String): Answer {
            yield()
            outage?.let { throw it }
            return Answer("answer to $question", Cost.of(3, 4, "0.02".toBigDecimal()))
        }

        fun tokens(question: String): Flow<String> {
            outage?.let { throw it }
            return flowOf(question, "!")
        }
    }

    @Service
    class Assistant(private val model: Model, private val costs: CostRecorder) {
        @GuardedBy("llm", fallback = "later")
        suspend fun ask(question: String): String {
            val answer = model.answer(question)
            costs.record(answer.cost)
            return answer.text
        }

        private suspend fun later(question: String, refusal: CallNotPermittedException) = "Please ask again in a minute."

        @GuardedBy("llm")
        fun stream(question: String): Flow<String> = model.tokens(question)
    }
}
