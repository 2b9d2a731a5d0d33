// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Checks requests against an XML schema of the messages: our own profile's, or one the developer supplies.
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

struct Violation {
  long line = 0;
  std::string message;
};

class Schema {
 public:
  /// Reads messages.xsd and types.xsd of the folder, or ews-messages.xsd and ews-types.xsd as our profile has
  /// them. Error: domain input, "bad-schema", with libxml2's first complaint.
  static syncline::Result<std::shared_ptr<const Schema>> load(const std::string& folder);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  /// The Body's child, and every header element of the EWS namespaces. At most `limit` violations.
  std::vector<Violation> check(const XmlDocument& request, std::size_t limit = 20) const;

 private:
  struct Parts;
  explicit Schema(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace exchange_sim
