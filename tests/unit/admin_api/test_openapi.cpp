// SPDX-License-Identifier: GPL-3.0-or-later
// docs/openapi.json against the table of routes, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "admin/api/call.hpp"
#include "admin/api/document.hpp"
#include "admin/api/route.hpp"
#include "base/text.hpp"
#include "service/organisation/api_tokens.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;
using Names = std::set<std::string>;

const json::object& document() {
  static const json::value parsed = json::parse(openapi_document());
  return parsed.get_object();
}

/// What a reference names, or the value itself.
const json::object& resolved(const json::value& value) {
  const json::object& object = value.get_object();
  const json::value* const reference = object.if_contains("$ref");
  if (reference == nullptr) return object;
  const json::value* at = nullptr;
  for (const std::string_view part : text::split(std::string_view(reference->get_string()).substr(2), '/'))
    at = at == nullptr ? &document().at(part) : &at->get_object().at(part);
  return at->get_object();
}

struct Operation {
  std::string path;
  std::string method;
  const json::object* object;
};

std::map<std::string, Operation> operations() {
  std::map<std::string, Operation> found;
  for (const auto& [path, methods] : document().at("paths").get_object())
    for (const auto& [method, operation] : methods.get_object())
      found[std::string(operation.at("operationId").get_string())] = {std::string(path), std::string(method),
                                                                      &operation.get_object()};
  return found;
}

Names parameters(const json::object& operation, std::string_view where) {
  Names names;
  if (const json::value* list = operation.if_contains("parameters"))
    for (const json::value& one : list->get_array()) {
      const json::object& parameter = resolved(one);
      if (std::string_view(parameter.at("in").get_string()) == where)
        names.insert(std::string(parameter.at("name").get_string()));
    }
  return names;
}

const json::object& schema_of(const json::object& operation, std::string_view name) {
  for (const json::value& one : operation.at("parameters").get_array()) {
    const json::object& parameter = resolved(one);
    if (std::string_view(parameter.at("name").get_string()) == name)
      return parameter.at("schema").get_object();
  }
  throw std::out_of_range(std::string(name));
}

TEST(OpenApi, WhatIsServedIsTheFileInDocs) {
  std::ifstream file(SYNCLINE_SOURCE_DIR "/docs/openapi.json");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(openapi_document(), text.str());
  EXPECT_EQ(document().at("openapi").get_string(), "3.1.0");
}

TEST(OpenApi, EveryRouteIsDescribedAndEveryDescriptionIsARoute) {
  const auto described = operations();
  Names of_table, of_document;
  for (const Route& route : routes())
    of_table.insert(text::to_lower_ascii(to_string(route.method)) + " " + std::string(route.path) + " " +
                    std::string(route.operation));
  for (const auto& [name, operation] : described)
    of_document.insert(operation.method + " " + operation.path + " " + name);
  EXPECT_EQ(of_table, of_document);
  EXPECT_EQ(of_table.size(), routes().size()) << "an operation stands twice in the table";
}

TEST(OpenApi, ParametersAreThoseOfTheTableWithTheirTypesAndBounds) {
  const auto described = operations();
  for (const Route& route : routes()) {
    SCOPED_TRACE(route.operation);
    const json::object& operation = *described.at(std::string(route.operation)).object;
    Names query, path;
    for (const Parameter& parameter : route.query) query.insert(std::string(parameter.name));
    for (const std::string_view name : path_parameters(route.path)) path.insert(std::string(name));
    EXPECT_EQ(parameters(operation, "query"), query);
    EXPECT_EQ(parameters(operation, "path"), path);
    const Names header = parameters(operation, "header");
    EXPECT_EQ(header.contains("If-Match"), route.needs_match);
    EXPECT_EQ(header.contains("Idempotency-Key"), route.method == Method::post);
    EXPECT_EQ(header.contains("Syncline-Reason"), route.method != Method::get);
    for (const Parameter& parameter : route.query) {
      SCOPED_TRACE(parameter.name);
      const json::object& schema = schema_of(operation, parameter.name);
      const std::string_view type(schema.at("type").get_string());
      switch (parameter.type) {
        case Parameter::Type::text:
          EXPECT_EQ(type, "string");
          EXPECT_FALSE(schema.contains("enum"));
          break;
        case Parameter::Type::number:
          EXPECT_EQ(type, "integer");
          EXPECT_EQ(schema.at("minimum").to_number<std::int64_t>(), parameter.least);
          EXPECT_EQ(schema.at("maximum").to_number<std::int64_t>(), parameter.most);
          break;
        case Parameter::Type::flag:
          EXPECT_EQ(type, "boolean");
          break;
        case Parameter::Type::word: {
          Names words, told;
          for (const std::string_view word : parameter.words) words.insert(std::string(word));
          for (const json::value& word : schema.at("enum").get_array())
            told.insert(std::string(word.get_string()));
          EXPECT_EQ(told, words);
        }
      }
    }
  }
}

TEST(OpenApi, StatusesAreThoseThatTheTableGives) {
  const auto described = operations();
  for (const Route& route : routes()) {
    SCOPED_TRACE(route.operation);
    Names of_table{"default"}, of_document;
    for (const int status : statuses_of(route)) of_table.insert(std::to_string(status));
    for (const auto& [status, response] :
         described.at(std::string(route.operation)).object->at("responses").get_object()) {
      of_document.insert(std::string(status));
      const json::object& answer = resolved(response);
      EXPECT_TRUE(answer.contains("description"));
      if (status == "default" || status.front() == '4') {
        EXPECT_TRUE(answer.at("content").get_object().contains("application/problem+json")) << status;
      }
    }
    EXPECT_EQ(of_document, of_table);
  }
}

TEST(OpenApi, RolesCredentialsAndBodiesAreThoseOfTheTable) {
  const auto described = operations();
  for (const Route& route : routes()) {
    SCOPED_TRACE(route.operation);
    const json::object& operation = *described.at(std::string(route.operation)).object;
    Names of_table, of_document;
    for (const store::ApiRole role : store::api_roles)
      if ((route.roles & only(role)) != 0) of_table.insert(std::string(service::to_string(role)));
    for (const json::value& role : operation.at("x-roles").get_array())
      of_document.insert(std::string(role.get_string()));
    EXPECT_EQ(of_document, of_table);
    EXPECT_EQ(operation.contains("security"), route.roles == everybody);
    EXPECT_EQ(operation.contains("x-credentials"), route.carries_credentials);
    Names types, told;
    for (const std::string_view type : route.body) types.insert(std::string(type));
    if (const json::value* body = operation.if_contains("requestBody")) {
      EXPECT_EQ(body->at("required").get_bool(), !route.body_may_be_empty);
      for (const auto& [type, content] : body->at("content").get_object()) told.insert(std::string(type));
    }
    EXPECT_EQ(told, types);
    EXPECT_TRUE((route.handler != nullptr) != (route.conversation != nullptr));
  }
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  std::vector<const json::value*> open;
  for (const auto& [name, value] : document()) open.push_back(&value);
  std::size_t references = 0;
  while (!open.empty()) {
    const json::value* const value = open.back();
    open.pop_back();
    if (value->is_array())
      for (const json::value& one : value->get_array()) open.push_back(&one);
    if (!value->is_object()) continue;
    if (value->get_object().contains("$ref")) {
      EXPECT_NO_THROW(resolved(*value)) << value->at("$ref");
      ++references;
    }
    for (const auto& [name, one] : value->get_object()) open.push_back(&one);
  }
  EXPECT_GT(references, 100U);
}

}  // namespace
}  // namespace syncline::admin::api
