package dev.guardedby.spring.kotlin

import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration
import dev.guardedby.spring.config.GuardedByAutoConfiguration
import org.springframework.context.annotation.AnnotationConfigApplicationContext

/** An application that is started where some libraries are missing; so it uses as little as it can. */
internal object OtherApplication {
    /** What keeps it from starting, or what its bean answers. */
    @JvmStatic
    fun start(bean: String): String =
        try {
            AnnotationConfigApplicationContext().use { context ->
                context.register(
                    GuardedByAutoConfiguration::class.java,
                    GuardedByAopAutoConfiguration::class.java,
                    Class.forName(bean),
                )
                context.refresh()
                val started = context.getBean(Class.forName(bean))
                "started, and ${started.javaClass.getMethod("ask").invoke(started)}"
            }
        } catch (failed: Exception) {
            generateSequence<Throwable>(failed) { it.cause }.last().message!!
        }
}
