// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `syncline check` prints for people: a table, and the summary.
#include <string>

#include "service/views/check_json.hpp"

namespace syncline::cli {

using service::append_json;
using service::JsonReport;
using service::JudgedRow;
using service::Tally;

/// "IMAP imap.gmail.com:993 (implicit TLS, xoauth2)"
std::string printed(const router::LegRoute& leg, rules::Language language);

class TextReport {
 public:
  explicit TextReport(rules::Language language) : language_(language) {}
  void append_header(std::string& out) const;
  void append(std::string& out, const JudgedRow& row) const;
  void append_summary(std::string& out, const Tally& tally) const;

 private:
  std::string_view tr(std::string_view english) const { return rules::translated(language_, english); }
  void append_finding(std::string& out, const rules::Finding& finding,
                      const rules::Assignment& assignment) const;
  rules::Language language_;
};

}  // namespace syncline::cli
