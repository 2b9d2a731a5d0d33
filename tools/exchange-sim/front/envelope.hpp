// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the front has to know of an EWS request before the service sees it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

struct Impersonation {
  std::string
      kind;  ///< "PrincipalName", "SID", "PrimarySmtpAddress", "SmtpAddress"; empty: header data is broken
  std::string name;
};

struct EwsRequest {
  std::string operation;  ///< local name of the Body's child: "GetItem"
  std::string version;    ///< RequestServerVersion; empty if absent
  std::optional<Impersonation> impersonation;
  std::size_t batch = 1;  ///< how many response messages the request asks for
  // GetStreamingEvents
  std::vector<std::string> subscription_ids;
  int connection_timeout_minutes = 0;
};

/// Error: domain soap, "not-soap", where there is no envelope with one element in its Body.
syncline::Result<EwsRequest> read_envelope(const XmlDocument& document);

/// The request with every page limit (MaxChangesReturned, MaxEntriesReturned) lowered to `limit`; FindItem
/// without a view gets one. Nothing if the operation has no pages.
std::optional<std::string> with_page_limit(std::string_view soap_xml, std::uint64_t limit);

}  // namespace exchange_sim
