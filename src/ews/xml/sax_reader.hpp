// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading XML as it arrives: the scanner, then libxml2's push parser. No network, no entities, no tree, no
// recursion; memory is that of one tag and one piece of text. Names come resolved to (namespace, local name).
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ews/xml/limits.hpp"
#include "ews/xml/scanner.hpp"

namespace syncline::ews::xml {

/// All views are valid during the call they are handed to.
struct Attribute {
  std::string_view space;  ///< namespace; empty without a prefix
  std::string_view local;
  std::string_view prefix;
  std::string_view value;
};

struct NamespaceDeclaration {
  std::string_view prefix;  ///< empty for the default namespace
  std::string_view space;
};

struct StartTag {
  std::string_view space;
  std::string_view local;
  std::string_view prefix;
  std::span<const Attribute> attributes;
  std::span<const NamespaceDeclaration> declarations;

  /// The value of the attribute without a namespace; nullptr if there is none.
  const std::string_view* attribute(std::string_view name) const noexcept;
};

/// What is told about a document. An error ends the reading and is what feed() or finish() return.
class SaxHandler {
 public:
  virtual ~SaxHandler() = default;
  virtual Result<void> start_element(const StartTag& tag) = 0;
  virtual Result<void> end_element() = 0;
  /// Character data, CDATA included, in pieces of any length.
  virtual Result<void> text(std::string_view piece) = 0;
  /// The root element has ended. Only Documents::sequence can be followed by more.
  virtual Result<void> end_document() { return {}; }
};

/// Whether the octets are one document, or any number of them one after the other.
enum class Documents { one, sequence };

class SaxReader {
 public:
  /// `handler` must outlive the reader.
  explicit SaxReader(SaxHandler& handler, Limits limits = {}, Documents documents = Documents::one);
  ~SaxReader();
  SaxReader(const SaxReader&) = delete;
  SaxReader& operator=(const SaxReader&) = delete;

  /// Everything complete before a fault has been told to the handler when the error is returned. Errors:
  /// those of Scanner::feed, "not-xml" where libxml2 finds it not well-formed, the handler's own.
  Result<void> feed(std::string_view octets);
  /// The octets are over. Error "truncated" if the document is not; "not-xml" if there was none
  /// (Documents::one).
  Result<void> finish();
  /// Where the fault is, counted from 1; without a fault, how far reading has come.
  std::uint64_t line() const noexcept;
  std::uint64_t replaced() const noexcept { return scanner_.replaced(); }
  std::uint64_t documents() const noexcept { return scanner_.documents(); }

 private:
  struct Parser;

  Result<void> parse();
  Result<void> parse(std::string_view text);
  Result<void> end_document();

  Documents documents_;
  Scanner scanner_;
  std::string clean_;              ///< reused between calls
  std::vector<std::size_t> ends_;  ///< of documents in clean_
  std::unique_ptr<Parser> parser_;
};

}  // namespace syncline::ews::xml
