// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What an HTTP answer that is not SOAP means: login pages, switched-off EWS, size limits, proxies in between.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/http_message.hpp"

namespace syncline::ews {

/// True where the body is worth reading as SOAP: 200 and 500 with an XML media type, or with none.
bool may_be_soap(int status, const net::Headers& headers);

/// Where the body does not hold SOAP. `body` is its beginning (for the texts by which Exchange Online names a
/// switched-off EWS); `now` is for Retry-After. Every answer has a class:
/// 401 reauthenticate; 403 of a switched-off EWS "ews-disabled" (never); other 403 "forbidden"
/// (reauthenticate); 404, 410, 421 and redirects rediscover; 413, 507 "request-too-large" (never); 408, 429,
/// 5xx after.
Error error_of(int status, const net::Headers& headers, std::string_view body, SystemTime now);

}  // namespace syncline::ews
