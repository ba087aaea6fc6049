package dev.guardedby.spring.kotlin

import dev.guardedby.circuitbreaker.CallNotPermittedException
import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test

/** What a suspend function may return and take, and where it may stand. */
internal class SuspendResultTest {
    @Test
    fun functionThatReturnsNothing_isGuarded() =
        application(Wire::class, Remote::class).tell {
            bean<Remote>().report("a")
            bean<Remote>().reportAtOnce()
            assertThat(history("remote")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
            assertThat(wire.asked).isEqualTo(1)
        }

    @Test
    fun nullIsAResult() =
        application(Wire::class, Remote::class).tell {
            assertThat(bean<Remote>().find("a")).isNull()
            assertThat(history("remote")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun primitives_andListsOfThem_comeThrough() =
        application(Wire::class, Remote::class).tell {
            assertThat(bean<Remote>().count(20, 1L)).isEqualTo(21)
            assertThat(bean<Remote>().squares(3)).containsExactly(1, 4, 9)
            assertThat(history("remote")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun defaultArguments_areThoseOfTheFunction() =
        application(Wire::class, Remote::class).tell {
            assertThat(bean<Remote>().translate("hello")).isEqualTo("answer to hello in German")
            assertThat(bean<Remote>().translate("hello", "French")).isEqualTo("answer to hello in French")
            assertThat(history("remote")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun annotationOnAnInterface_guardsItsImplementations() {
        for (ofClasses in listOf(true, false)) {
            application(Wire::class, PaidModel::class)
                .withPropertyValues("spring.aop.proxy-target-class=$ofClasses")
                .tell {
                    assertThat(bean<Model>().complete("a")).isEqualTo("answer to a")
                    assertThat(bean<Model>().completeAll(listOf("b"))).containsExactly("answer to b")
                    breaker("model").forceOpen()
                    assertThat(failing { bean<Model>().complete("c") })
                        .isInstanceOf(CallNotPermittedException::class.java)
                    assertThat(history("model")).isEqualTo("2 ok, 0 failed, 0 ignored, 1 refused, open")
                    assertThat(wire.asked).isEqualTo(2)
                }
        }
    }

    @Test
    fun annotationOnAGenericInterface_guardsItsImplementations() =
        application(Wire::class, Users::class).tell {
            assertThat(bean<Users>().load("a")).isEqualTo("answer to a".length)
            val store: Store<String, Int> = bean<Users>()
            assertThat(store.load("abc")).isEqualTo("answer to abc".length)
            assertThat(history("store")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun annotationOnAClass_guardsItsPublicFunctions_suspendOrNot() =
        application(Wire::class, Everything::class).tell {
            assertThat(bean<Everything>().ask("a")).isEqualTo("answer to a")
            assertThat(bean<Everything>().plain()).isEqualTo("plain")
            assertThat(bean<Everything>().withDefault()).isEqualTo("answer to default")
            assertThat(history("everything")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    open class Remote(
        private val wire: Wire,
    ) {
        @GuardedBy("remote")
        open suspend fun report(news: String) {
            yield()
            wire.ask(news)
        }

        @GuardedBy("remote")
        open suspend fun reportAtOnce() = Unit

        @GuardedBy("remote")
        open suspend fun find(question: String): String? {
            yield()
            return question.ifEmpty { "something" }.takeIf { it.isEmpty() }
        }

        @GuardedBy("remote")
        open suspend fun count(
            from: Int,
            step: Long,
        ): Int {
            yield()
            return from + step.toInt()
        }

        @GuardedBy("remote")
        open suspend fun squares(upTo: Int): List<Int> = (1..upTo).map { it * it }

        @GuardedBy("remote")
        open suspend fun translate(
            text: String,
            language: String = "German",
        ): String = wire.ask("$text in $language")
    }

    interface Model {
        @GuardedBy("model")
        suspend fun complete(prompt: String): String

        @GuardedBy("model")
        suspend fun completeAll(prompts: List<String>): List<String> = prompts.map { complete(it) }
    }

    open class PaidModel(
        private val wire: Wire,
    ) : Model {
        override suspend fun complete(prompt: String): String {
            yield()
            return wire.ask(prompt)
        }
    }

    interface Store<K, V> {
        @GuardedBy("store")
        suspend fun load(key: K): V
    }

    open class Users(
        private val wire: Wire,
    ) : Store<String, Int> {
        override suspend fun load(key: String): Int = wire.ask(key).length
    }

    @GuardedBy("everything")
    open class Everything(
        private val wire: Wire,
    ) {
        open suspend fun ask(question: String): String = wire.ask(question)

        open fun plain(): String = "plain"

        open suspend fun withDefault(question: String = "default"): String = wire.ask(question)
    }
}
