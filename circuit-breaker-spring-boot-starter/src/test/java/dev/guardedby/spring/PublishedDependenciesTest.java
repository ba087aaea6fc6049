package dev.guardedby.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What an application gets with the starter, whether it wants it or not. */
class PublishedDependenciesTest {
    @Test
    void applicationGetsNoLoggingJacksonReactorOrMicrometer() throws Exception {
        assertThat(forcedOnTheApplication())
                .containsExactlyInAnyOrder(
                        "circuit-breaker-core", "spring-boot-autoconfigure", "spring-aop", "aspectjweaver", "jspecify");
    }

    private static List<String> forcedOnTheApplication() throws Exception {
        Document pom = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new File("pom.xml"));
        NodeList found = (NodeList) XPathFactory.newInstance()
                .newXPath()
                .evaluate(
                        "/project/dependencies/dependency[not(optional = 'true')]"
                                + "[not(scope = 'test' or scope = 'provided')]/artifactId",
                        pom,
                        XPathConstants.NODESET);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            names.add(found.item(i).getTextContent());
        }
        return names;
    }
}
