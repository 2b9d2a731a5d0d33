// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/problem.hpp"

#include <boost/json/serialize.hpp>
#include <utility>

#include "base/text.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

constexpr std::pair<int, std::string_view> titles[] = {{400, "Bad Request"},
                                                       {401, "Unauthorized"},
                                                       {403, "Forbidden"},
                                                       {404, "Not Found"},
                                                       {405, "Method Not Allowed"},
                                                       {409, "Conflict"},
                                                       {410, "Gone"},
                                                       {412, "Precondition Failed"},
                                                       {413, "Content Too Large"},
                                                       {415, "Unsupported Media Type"},
                                                       {417, "Expectation Failed"},
                                                       {422, "Unprocessable Content"},
                                                       {428, "Precondition Required"},
                                                       {429, "Too Many Requests"},
                                                       {431, "Request Header Fields Too Large"},
                                                       {500, "Internal Server Error"},
                                                       {503, "Service Unavailable"},
                                                       {507, "Insufficient Storage"}};

/// Codes whose status does not follow from their domain.
constexpr std::pair<std::string_view, int> statuses[] = {{"unauthenticated", 401},
                                                         {"forbidden", 403},
                                                         {"insecure-channel", 403},
                                                         {"not-found", 404},
                                                         {"no-mailbox", 404},
                                                         {"no-record", 404},
                                                         {"no-profile", 404},
                                                         {"no-token", 404},
                                                         {"no-webhook", 404},
                                                         {"no-alert", 404},
                                                         {"no-item", 404},
                                                         {"no-rule", 404},
                                                         {"method-not-allowed", 405},
                                                         {"stale-version", 412},
                                                         {"precondition-failed", 412},
                                                         {"external-id-taken", 409},
                                                         {"name-taken", 409},
                                                         {"address-taken", 409},
                                                         {"already-there", 409},
                                                         {"refused", 409},
                                                         {"not-enabled", 409},
                                                         {"other-kind", 409},
                                                         {"profile-in-use", 409},
                                                         {"feed-reset", 410},
                                                         {"too-large", 413},
                                                         {"too-many-rows", 413},
                                                         {"unsupported-media-type", 415},
                                                         {"no-content", 422},
                                                         {"idempotency-key-reused", 422},
                                                         {"precondition-required", 428},
                                                         {"too-many-requests", 429},
                                                         {"store-locked", 503},
                                                         {"stopping", 503},
                                                         {"unavailable", 503},
                                                         {"disk-full", 507}};

}  // namespace

std::string problem_json(int status, std::string_view code, std::string_view detail,
                         const json::object& more) {
  std::string_view title = "Error";
  for (const auto& [known, text] : titles)
    if (known == status) title = text;
  json::object body{{"type", "urn:syncline:problem:" + std::string(code)},
                    {"title", title},
                    {"status", status},
                    {"code", code},
                    {"detail", detail}};
  for (const auto& [name, value] : more) body[name] = value;
  return json::serialize(body);
}

int status_of(const Error& error) noexcept {
  for (const auto& [code, status] : statuses)
    if (error.code == code) return status;
  return error.domain == ErrorDomain::input ? 400 : 500;
}

std::optional<int> retry_after_of(const Error& error) noexcept {
  if (error.retry_after)
    return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count());
  if (status_of(error) == 503) return 1;
  return std::nullopt;
}

std::string detail_of(const Error& error) {
  const int status = status_of(error);
  if (status == 507) return "The disk is full.";
  if (status == 503 && error.code == "store-locked") return "Another program is writing; ask again.";
  if (status >= 500 && status != 503) return "The server could not do this; its log says why.";
  // What a peer sent may be quoted in it.
  return text::escape_for_display(error.message);
}

}  // namespace syncline::admin::api
