package dev.guardedby.consumers.ai;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An application that asks models. */
@SpringBootApplication(proxyBeanMethods = false)
class Application {}
