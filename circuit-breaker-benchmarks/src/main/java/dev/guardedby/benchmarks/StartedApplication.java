package dev.guardedby.benchmarks;

import java.lang.management.ManagementFactory;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.stereotype.Component;

/**
 * A web application as people make them, with Actuator and Prometheus, that starts, says what that took, and ends. It does not
 * mention the starter, so that it starts without its jar as well: annotations whose class is missing are as if they were not
 * there.
 */
@SpringBootApplication(scanBasePackages = "startup")
class StartedApplication {
    /** What the line with the figures begins with. */
    static final String MARK = "started: ";

    public static void main(String[] arguments) {
        try (ConfigurableApplicationContext context = SpringApplication.run(StartedApplication.class, arguments)) {
            long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            long wall = ManagementFactory.getRuntimeMXBean().getUptime();
            long proxies = context.getBeansWithAnnotation(Component.class).values().stream()
                    .filter(AopUtils::isAopProxy)
                    .count();
            System.out.println(MARK + wall + " " + cpu / 1_000_000.0 + " " + proxies);
        }
    }
}
