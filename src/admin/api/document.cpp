// SPDX-License-Identifier: GPL-3.0-or-later
// The OpenAPI document of the API itself.
#include "admin/api/document.hpp"

#include "admin/api/call.hpp"

namespace syncline::admin::api {
namespace {

Result<Answer> show(Call&) {
  Answer answer;
  answer.body = openapi_document();
  return answer;
}

}  // namespace

void add_document_routes(std::vector<Route>& routes) {
  routes.push_back(
      {.path = "/openapi.json", .operation = "getDocument", .roles = everybody, .handler = show});
}

}  // namespace syncline::admin::api
