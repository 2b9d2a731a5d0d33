// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/operation_kind.hpp"

#include <algorithm>
#include <array>

namespace syncline::ews {

OperationKind kind_of(std::string_view operation) noexcept {
  constexpr std::array<std::string_view, 10> reads{
      "ConvertId", "FindFolder", "FindItem",           "GetAttachment", "GetEvents",
      "GetFolder", "GetItem",    "GetServerTimeZones", "ResolveNames",  "Unsubscribe"};
  if (operation == "GetStreamingEvents") return OperationKind::hanging;
  if (operation == "SyncFolderItems" || operation == "SyncFolderHierarchy") return OperationKind::sync;
  return std::ranges::find(reads, operation) != reads.end() ? OperationKind::read : OperationKind::write;
}

bool may_have_been_done(const Error& error) noexcept {
  // Trouble of the transport before the first octet of the request went (net/http_client.hpp,
  // net/environment.hpp).
  constexpr std::array<std::string_view, 9> before_sending{
      "connect-timeout", "connection-refused", "dns-failed",  "name-not-found",   "pool-timeout",
      "proxy-refused",   "stale-connection",   "unreachable", "handshake-timeout"};
  if (error.retry == RetryClass::now || std::ranges::find(before_sending, error.code) != before_sending.end())
    return false;
  switch (error.domain) {
    case ErrorDomain::net:
    case ErrorDomain::xml:
    case ErrorDomain::soap:
      // A fault without a response code is the server's framework speaking, perhaps after the work was done.
      return true;
    case ErrorDomain::http:
      // A status is an answer; only those of a gateway that gave up waiting say nothing about the server
      // behind it. What is refused for its size (413, 507) was never read.
      return error.code != "request-too-large" && (!error.http_status || *error.http_status == 200 ||
                                                   *error.http_status == 408 || *error.http_status >= 500);
    case ErrorDomain::ews:
      return error.code == "ErrorInternalServerError" || error.code == "ErrorInternalServerTransientError" ||
             error.code == "ErrorTimeoutExpired" || error.code == "ErrorRequestTimeout" ||
             error.code == "ErrorConnectionFailed";
    default:
      return false;
  }
}

}  // namespace syncline::ews
