// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <fmt/format.h>

#include <string>

#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::xml::test {

/// Writes down what it is told: "{space}local[a=b](text)/".
class Recorder final : public SaxHandler {
 public:
  std::string seen;
  std::string refuse;  ///< the local name that ends the reading

  Result<void> start_element(const StartTag& tag) override {
    if (tag.local == refuse) return fail(ErrorDomain::soap, "not-soap", "not wanted");
    seen += fmt::format("<{}{}", tag.space.empty() ? "" : fmt::format("{{{}}}", tag.space), tag.local);
    for (const Attribute& one : tag.attributes) seen += fmt::format(" {}={}", one.local, one.value);
    seen += ">";
    return {};
  }
  Result<void> end_element() override {
    seen += "</>";
    return {};
  }
  Result<void> text(std::string_view piece) override {
    seen += piece;
    return {};
  }
  Result<void> end_document() override {
    seen += "|";
    return {};
  }
};

}  // namespace syncline::ews::xml::test
