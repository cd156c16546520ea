//! Files of other tools, and what they become.

use super::import;

/// What a file becomes, and what is said of it. Each can be read again.
fn imported(text: &str) -> (String, Vec<String>) {
    let imported = import("x", text, None).unwrap_or_else(|error| panic!("{error}"));
    let files = |_: &std::path::Path| Ok(Vec::new());
    if let Err(problem) = crate::read("x", &imported.yaml, &files) {
        panic!("{problem}\n{}", imported.yaml);
    }
    (imported.yaml, imported.notes)
}

#[test]
fn hoverfly_simulations() {
    let (yaml, notes) = imported(
        r#"{ "data": { "pairs": [ {
            "request": {
                "method": [{ "matcher": "exact", "value": "POST" }],
                "destination": [{ "matcher": "exact", "value": "api.test" }],
                "path": [{ "matcher": "glob", "value": "/v1/*" }],
                "query": { "q": [{ "matcher": "regex", "value": "^a" }] },
                "body": [{ "matcher": "jsonpartial", "value": "{\"a\": 1}" }, { "matcher": "xpath", "value": "/a" }],
                "requiresState": { "cart": "full" } },
            "response": { "status": 201, "body": "{\"b\":\"{{x}}\"}", "headers": { "X-A": ["1"], "Content-Length": ["9"] },
                "templated": false, "fixedDelay": 20, "transitionsState": { "cart": "empty" } }
        } ] }, "meta": { "schemaVersion": "v5.2" } }"#,
    );
    let expected = "mocks:
  api.test:
    hosts: api.test
    routes:
      post-v1:
        match:
          method: POST
          path:
            glob: '/v1/*'
          query:
            q:
              regex: '^a'
          body:
            json-has: {\"a\":1}
        priority: 4
        when:
          cart: full
        then:
          cart: empty
        answer:
          status: 201
          headers:
            x-a: '1'
          text: '{% raw %}{\"b\":\"{{x}}\"}{% endraw %}'
          delay: '20ms'
";
    assert_eq!(yaml, expected);
    assert_eq!(notes, ["the matcher `xpath` is left out where it is about a body"]);
}

#[test]
fn wiremock_mappings() {
    let (yaml, notes) = imported(
        r#"{ "mappings": [
            { "request": { "method": "GET", "url": "/a?b=c", "headers": { "X": { "matches": "1+" } } },
              "response": { "status": 200, "body": "hello {{request.query.b}} {{other}}", "transformers": ["response-template"] } },
            { "priority": 1, "scenarioName": "s", "requiredScenarioState": "Started", "newScenarioState": "two",
              "request": { "method": "POST", "urlPathTemplate": "/c/{id}",
                "bodyPatterns": [{ "equalToJson": "{\"n\": 1}", "ignoreExtraElements": true }, { "matchesJsonPath": { "expression": "$.m", "contains": "x" } }] },
              "response": { "fault": "EMPTY_RESPONSE", "delayDistribution": { "type": "uniform", "lower": 1, "upper": 5 } } }
        ] }"#,
    );
    let expected = "mocks:
  service:
    hosts: service
    routes:
      post-c-id:
        match:
          method: POST
          path: '/c/{id}'
          body:
            json-has: {\"n\":1}
            json-path:
              '$.m':
                contains: x
        priority: 4
        when:
          s: start
        then:
          s: two
        answer:
          status: 200
          delay:
            uniform:
              from: '1ms'
              to: '5ms'
      get-a-b-c:
        match:
          method: GET
          path: /a
          query:
            b: c
          headers:
            X:
              regex: '^(?:1+)$'
        answer:
          status: 200
          text: 'hello {{ request.query.b }} {% raw %}{{other}}{% endraw %}'
    troubles:
      post-c-id:
        do:
          empty: after
        route: post-c-id
";
    assert_eq!(yaml, expected);
    assert_eq!(notes, ["`{{other}}` is not filled in"]);
}

#[test]
fn openapi_documents() {
    let (yaml, notes) = imported(
        "openapi: 3.1.0
servers: [{ url: 'https://api.test/v1' }]
paths:
  /pets/{pet-id}:
    get:
      operationId: readPet
      responses:
        '404': { description: none }
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
components:
  schemas:
    Pet:
      type: object
      properties:
        name: { type: string, example: Rex }
        age: { type: integer }
        parent: { $ref: '#/components/schemas/Pet' }
        tags: { type: array, items: { enum: [a, b] } }
",
    );
    assert!(
        yaml.contains(
            "readpet:\n        match:\n          method: GET\n          path: '/v1/pets/{pet_id}'\n"
        ),
        "{yaml}"
    );
    assert!(
        yaml.contains("\"name\":\"Rex\"")
            && yaml.contains("\"tags\":[\"a\"]")
            && yaml.contains("\"age\":1"),
        "{yaml}"
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn har_files() {
    let (yaml, notes) = imported(
        r#"{ "log": { "entries": [
            { "request": { "method": "GET", "url": "https://api.test/a?b=1" },
              "response": { "status": 200, "headers": [{ "name": "Set-Cookie", "value": "s" }, { "name": "X", "value": "1" }], "content": { "mimeType": "application/json", "text": "{\"n\":1}" } } },
            { "request": { "method": "GET", "url": "https://api.test/a?b=1" },
              "response": { "status": 500, "content": { "text": "oops\nline\n" } } }
        ] } }"#,
    );
    let expected = "mocks:
  api.test:
    hosts: api.test
    routes:
      get-a:
        match:
          method: GET
          path: /a
          query:
            b: '1'
        answer:
          - status: 200
            headers:
              x: '1'
            json: {\"n\":1}
          - status: 500
            text: |
              oops
              line
";
    assert_eq!(yaml, expected);
    assert_eq!(notes, ["`Set-Cookie` is left out: it may hold a secret"]);
}

#[test]
fn what_is_none_of_them_is_told() {
    let error = |text: &str| import("x", text, None).expect_err("it is none").to_string();
    assert!(error("{}").starts_with("this is no Hoverfly simulation"));
    assert!(error("{").starts_with("x: this is no JSON"));
    assert!(error("a: [").starts_with("x:"));
    assert_eq!(error(r#"{ "mappings": [] }"#), "there is nothing in it that could be answered");
}
