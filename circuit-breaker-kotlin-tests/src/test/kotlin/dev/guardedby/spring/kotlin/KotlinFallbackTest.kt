package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import java.io.IOException
import kotlin.reflect.KClass
import kotlin.time.Duration.Companion.minutes

internal class KotlinFallbackTest {
    private val application = application(Wire::class, Remote::class)
    private val down = IOException("down")

    @Test
    fun suspendFallback_answersForFailures_andForRefusals() =
        application.tell {
            failed()
            assertThat(bean<Remote>().ask("a")).isEqualTo("later: a")
            assertThat(bean<Remote>().ask("b")).isEqualTo("later: b")
            assertThat(bean<Remote>().ask("c")).isEqualTo("later: c")
            assertThat(history("remote")).isEqualTo("0 ok, 2 failed, 0 ignored, 1 refused, open")
        }

    @Test
    fun suspendFallback_mayTakeTheException() =
        application.tell {
            failed()
            assertThat(bean<Remote>().explained("a")).isEqualTo("a, because of java.io.IOException: down")
            breaker("remote").holdOpen()
            assertThat(bean<Remote>().explained("a")).isEqualTo("a, refused")
        }

    @Test
    fun plainFallback_answersForASuspendFunction_withTheExceptionOrWithout() =
        application.tell {
            failed()
            assertThat(bean<Remote>().plainly("a")).isEqualTo("plainly: a")
            assertThat(bean<Remote>().plainlyExplained("a")).isEqualTo("a: down")
            assertThat(bean<Remote>().counted()).isEqualTo(7)
            bean<Remote>().told("a")
            bean<Remote>().toldLater("a")
            assertThat(bean<Remote>().said).containsExactly("told a", "told a later")
        }

    @Test
    fun fallback_isNotAskedWhereTheFunctionSucceeds() =
        application.tell {
            assertThat(bean<Remote>().ask("a")).isEqualTo("answer to a")
            assertThat(bean<Remote>().plainly("a")).isEqualTo("answer to a")
        }

    @Test
    fun fallback_isNotAsked_whenTheCallerGaveUp() =
        application.tell {
            wire.answer = {
                delay(2.minutes)
                it
            }
            assertThat(withTimeoutOrNull(1.minutes) { bean<Remote>().ask("a") }).isNull()
            assertThat(history("remote")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed")
        }

    @Test
    fun whatTheFallbackThrows_reachesTheCaller_withThePrimarySuppressed() =
        application.tell {
            failed()
            for (thrown in listOf(failing { bean<Remote>().hopeless("a") }, failing { bean<Remote>().plainlyHopeless("a") })) {
                assertThat(thrown).isExactlyInstanceOf(IllegalStateException::class.java).hasMessage("a")
                assertThat(thrown.suppressed).containsExactly(down)
            }
        }

    @Test
    fun suspendFallback_hasTheContextOfTheCaller() =
        application.tell {
            failed()
            withContext(CoroutineName("caller")) {
                assertThat(bean<Remote>().named("a")).isEqualTo("caller")
            }
        }

    @Test
    fun fallbackOfAFlow_goesOn_whereItEnded() =
        application.tell {
            failed()
            assertThat(bean<Remote>().stream("a").toList()).containsExactly("later", "a")
            assertThat(bean<Remote>().streamExplained("a").toList()).containsExactly("a: down")
            breaker("stream").holdOpen()
            assertThat(bean<Remote>().stream("b").toList()).containsExactly("later", "b")
            assertThat(bean<Remote>().streamExplained("b").toList()).containsExactly("b: refused")
            assertThat(history("stream")).isEqualTo("0 ok, 2 failed, 0 ignored, 2 refused, open")
        }

    @Test
    fun fallbackOfASuspendFunctionThatReturnsAFlow() =
        application.tell {
            failed()
            assertThat(bean<Remote>().opened("a").toList()).containsExactly("later", "a")
            assertThat(bean<Remote>().openedPlainly("a").toList()).containsExactly("later", "a")
            assertThat(history("opened")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open")
        }

    @Test
    fun fallbackOfAClass_ofTheSameName_isNoneOfItsGuardedFunctions() =
        application(Wire::class, Typed::class).tell {
            assertThat(bean<Typed>().ask("a")).isEqualTo("answer to a")
            failed()
            assertThat(bean<Typed>().ask("a")).isEqualTo("a: down")
            assertThat(history("typed")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun ambiguousFallbacks_failStartup_andBothAreNamed() {
        // For the JVM, a token is the string in it.
        assertThat(refusal(Ambiguous::class))
            .matches(
                "The fallback 'later' of suspend ${name("Ambiguous")}.ask-\\w+\\(String\\) is ambiguous:" +
                    " ${name("Ambiguous")}.later-\\w+\\(String\\) and suspend ${name("Ambiguous")}.later\\(String\\)" +
                    " fit equally well. Rename one of them.",
            )
    }

    @Test
    fun fallbackThatDoesNotFit_failsStartup_andReadsAsItWasWritten() {
        assertThat(refusal(OtherParameters::class))
            .isEqualTo(
                "The fallback 'later' of suspend ${name("OtherParameters")}.ask(String) does not fit: it must take" +
                    " (String), optionally with an exception as the last, but there is only later(String, String)" +
                    " and suspend later(int). Write String later(String) or String later(String, Throwable) in" +
                    " ${name("OtherParameters")}.",
            )
        assertThat(refusal(OtherResult::class))
            .isEqualTo(
                "The fallback 'later' of suspend ${name("OtherResult")}.ask(String) does not fit: suspend later(String)" +
                    " returns java.lang.Integer, which is not a java.lang.String. Let it return java.lang.String.",
            )
        assertThat(refusal(SuspendFallbackOfAPlainFunction::class))
            .startsWith("The fallback 'later' of ${name("SuspendFallbackOfAPlainFunction")}.ask(String) does not fit:")
            .contains("suspend later(String)")
            .doesNotContain("Continuation")
        assertThat(refusal(NoFallback::class)).contains(".ask(String) does not exist").doesNotContain("Continuation")
    }

    private fun Story.failed() {
        wire.answer = {
            yield()
            throw down
        }
    }

    private fun refusal(bean: KClass<*>): String = application(bean).startupFailure().message!!

    private fun name(simple: String) = KotlinFallbackTest::class.qualifiedName + "." + simple

    open class Remote(
        private val wire: Wire,
    ) {
        open val said = mutableListOf<String>()

        @GuardedBy("remote", fallback = "later")
        open suspend fun ask(question: String): String = wire.ask(question)

        private suspend fun later(question: String): String {
            delay(1.minutes)
            return "later: $question"
        }

        @GuardedBy("remote", fallback = "because")
        open suspend fun explained(question: String): String = wire.ask(question)

        protected open suspend fun because(
            question: String,
            failure: Exception,
        ): String {
            yield()
            return "$question, because of $failure"
        }

        private fun because(
            question: String,
            refusal: CallNotPermittedException,
        ): String = "$question, ${if (refusal.name() == "remote") "refused" else "?"}"

        @GuardedBy("plain", fallback = "plain")
        open suspend fun plainly(question: String): String = wire.ask(question)

        private fun plain(question: String): String = "plainly: $question"

        @GuardedBy("plain2", fallback = "plainBecause")
        open suspend fun plainlyExplained(question: String): String = wire.ask(question)

        fun plainBecause(
            question: String,
            failure: Throwable,
        ): String = "$question: ${failure.message}"

        @GuardedBy("plain3", fallback = "seven")
        open suspend fun counted(): Int = wire.ask("").length

        private fun seven(): Int = 7

        @GuardedBy("plain4", fallback = "tell")
        open suspend fun told(news: String) {
            wire.ask(news)
        }

        private fun tell(news: String) {
            said += "told $news"
        }

        @GuardedBy("plain5", fallback = "tellLater")
        open suspend fun toldLater(news: String) {
            wire.ask(news)
        }

        private suspend fun tellLater(news: String) {
            yield()
            said += "told $news later"
        }

        @GuardedBy("hopeless", fallback = "fail")
        open suspend fun hopeless(question: String): String = wire.ask(question)

        private suspend fun fail(question: String): String {
            yield()
            throw IllegalStateException(question)
        }

        @GuardedBy("hopeless", fallback = "failPlainly")
        open suspend fun plainlyHopeless(question: String): String = wire.ask(question)

        private fun failPlainly(question: String): String = throw IllegalStateException(question)

        @GuardedBy("named", fallback = "name")
        open suspend fun named(question: String): String = wire.ask(question)

        private suspend fun name(question: String): String =
            currentCoroutineContext()[CoroutineName]?.name ?: question

        @GuardedBy("stream", fallback = "streamLater")
        open fun stream(question: String): Flow<String> = flow { emit(wire.ask(question)) }

        private fun streamLater(question: String): Flow<String> =
            flow {
                emit("later")
                yield()
                emit(question)
            }

        @GuardedBy("stream", fallback = "streamBecause")
        open fun streamExplained(question: String): Flow<String> = flow { emit(wire.ask(question)) }

        private fun streamBecause(
            question: String,
            failure: Throwable,
        ): Flow<String> = flowOf("$question: ${if (failure is CallNotPermittedException) "refused" else failure.message}")

        @GuardedBy("opened", fallback = "openLater")
        open suspend fun opened(question: String): Flow<String> = flow { emit(wire.ask(question)) }

        private suspend fun openLater(question: String): Flow<String> {
            yield()
            return streamLater(question)
        }

        @GuardedBy("opened", fallback = "streamLater")
        open suspend fun openedPlainly(question: String): Flow<String> = flow { emit(wire.ask(question)) }
    }

    @GuardedBy("typed", fallback = "ask")
    open class Typed(
        private val wire: Wire,
    ) {
        open suspend fun ask(question: String): String = wire.ask(question)

        open fun ask(
            question: String,
            failure: Exception,
        ): String = "$question: ${failure.message}"
    }

    @JvmInline
    value class Token(
        val text: String,
    )

    open class Ambiguous {
        @GuardedBy("remote", fallback = "later")
        open suspend fun ask(token: Token): String = token.text

        fun later(token: Token): String = token.text

        suspend fun later(text: String): String = text
    }

    open class OtherParameters {
        @GuardedBy("remote", fallback = "later")
        open suspend fun ask(question: String): String = question

        suspend fun later(number: Int): String = "$number"

        fun later(
            question: String,
            model: String,
        ): String = question + model
    }

    open class OtherResult {
        @GuardedBy("remote", fallback = "later")
        open suspend fun ask(question: String): String = question

        suspend fun later(question: String): Int = question.length
    }

    open class SuspendFallbackOfAPlainFunction {
        @GuardedBy("remote", fallback = "later")
        open fun ask(question: String): String = question

        suspend fun later(question: String): String = question
    }

    open class NoFallback {
        @GuardedBy("remote", fallback = "later")
        open suspend fun ask(question: String): String = question
    }
}
