package dev.guardedby.spring.kotlin

import dev.guardedby.spring.GuardedBy
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import java.io.IOException
import java.math.BigDecimal

/** Value classes, which the JVM sees as what is in them, most of the time. */
internal class ValueClassTest {
    private val application = application(Wire::class, Remote::class)

    @Test
    fun valueClasses_comeThrough_asArgumentsAndResults() =
        application.tell {
            assertThat(bean<Remote>().named(Name("a"))).isEqualTo("answer to a")
            assertThat(bean<Remote>().name("a").text).isEqualTo("answer to a")
            assertThat(bean<Remote>().nameAtOnce("a").text).isEqualTo("answer to a")
            assertThat(bean<Remote>().length("a").value).isEqualTo("answer to a".length)
            assertThat(bean<Remote>().lengthAtOnce("a").value).isEqualTo("answer to a".length)
            assertThat(bean<Remote>().perhaps("a")?.text).isEqualTo("answer to a")
            assertThat(bean<Remote>().perhaps("")).isNull()
            assertThat(bean<Remote>().names("a").toList()).containsExactly(Name("a"))
            assertThat(history("value")).isEqualTo("8 ok, 0 failed, 0 ignored, 0 refused, closed")
        }

    @Test
    fun fallback_isFoundByTheNameInItsSource() =
        application.tell {
            wire.answer = { throw IOException("down") }
            assertThat(bean<Remote>().described(Name("a"))).isEqualTo("a for now")
            assertThat(bean<Remote>().described("a")).isEqualTo("a inside the module")
            assertThat(bean<Remote>().renamed("a").text).isEqualTo("a for now")
        }

    @Test
    fun expression_readsWhatIsInThem() =
        application.tell {
            bean<Remote>().priced(Name("abc"), BigDecimal("0.1"))
            assertThat(bill("priced")).isEqualTo("0 in, 0 out, 0.3 usd")
        }

    @JvmInline
    value class Name(
        val text: String,
    )

    @JvmInline
    value class Length(
        val value: Int,
    )

    open class Remote(
        private val wire: Wire,
    ) {
        @GuardedBy("value")
        open suspend fun named(name: Name): String {
            yield()
            return wire.ask(name.text)
        }

        @GuardedBy("value")
        open suspend fun name(question: String): Name {
            yield()
            return Name(wire.ask(question))
        }

        @GuardedBy("value")
        open suspend fun nameAtOnce(question: String): Name = Name(wire.ask(question))

        @GuardedBy("value")
        open suspend fun length(question: String): Length {
            yield()
            return Length(wire.ask(question).length)
        }

        @GuardedBy("value")
        open suspend fun lengthAtOnce(question: String): Length = Length(wire.ask(question).length)

        @GuardedBy("value")
        open suspend fun perhaps(question: String): Name? {
            yield()
            return if (question.isEmpty()) null else Name(wire.ask(question))
        }

        @GuardedBy("value")
        open fun names(question: String): Flow<Name> = flowOf(Name(question))

        @GuardedBy("fallback", fallback = "describe")
        open suspend fun described(name: Name): String = wire.ask(name.text)

        private suspend fun describe(name: Name): String {
            yield()
            return "${name.text} for now"
        }

        @GuardedBy("fallback2", fallback = "describeInside")
        open suspend fun described(name: String): String = wire.ask(name)

        internal fun describeInside(name: String): String = "$name inside the module"

        @GuardedBy("fallback3", fallback = "rename")
        open suspend fun renamed(name: String): Name = Name(wire.ask(name))

        private suspend fun rename(name: String): Name {
            yield()
            return Name("$name for now")
        }

        @GuardedBy("priced", cost = "#name.length() * #usd")
        open suspend fun priced(
            name: Name,
            usd: BigDecimal,
        ): String = "${name.text} $usd"
    }
}
