// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The two directions of a mapping. One function `map(io, generated, ours)` for each type names its fields
// once; with a Reader it fills ours, with a Writer the generated object.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "ews/codec/detail/field_text.hpp"
#include "ews/types/boxed.hpp"
#include "ews/types/ids.hpp"
#include "ewsStub.h"

namespace syncline::ews::codec {

/// From generated objects (whose strings it takes) to ours.
class Reader {
 public:
  static constexpr bool reading = true;

  template <HasFieldText T>
  void operator()(std::string* g, std::optional<T>& o) {
    if (g != nullptr) o = FieldText<T>::read(std::move(*g));
  }
  template <HasFieldText T>
  void operator()(std::string& g, std::optional<T>& o) {
    if (!g.empty()) o = FieldText<T>::read(std::move(g));
  }
  template <HasFieldText T>
  void operator()(std::string& g, T& o) {
    if (auto value = FieldText<T>::read(std::move(g))) o = std::move(*value);
  }
  /// Text whose absence and emptiness are one.
  void operator()(std::string* g, std::string& o) {
    if (g != nullptr) o = std::move(*g);
  }
  template <class G, class O>
  void operator()(G* g, std::optional<O>& o) {
    if (g != nullptr) map(*this, *g, o.emplace());
  }
  template <class G, class O>
  void operator()(G* g, O& o) {
    if (g != nullptr) map(*this, *g, o);
  }

  void operator()(ewst__Recipient* g, std::optional<EmailAddress>& o) {
    if (g != nullptr) (*this)(g->Mailbox, o);
  }
  void operator()(ewst__Recipients* g, std::vector<EmailAddress>& o) {
    list(g, &ewst__Recipients::Mailbox, o);
  }
  void operator()(ewst__Strings* g, std::vector<std::string>& o) {
    if (g != nullptr) o = std::move(g->String);
  }

  /// A wrapper element around repeated ones.
  template <class W, class G, class O>
  void list(W* wrapper, std::vector<G*> W::*member, std::vector<O>& o) {
    if (wrapper != nullptr) elements(wrapper->*member, o);
  }
  template <class G, class O>
  void elements(std::vector<G*>& g, std::vector<O>& o) {
    o.reserve(g.size());
    for (auto* element : g)
      if (element != nullptr) map(*this, *element, o.emplace_back());
  }

  /// Base64 text to octets. Bad base64 is noted and costs the value, nothing else.
  void base64(std::string* g, std::optional<std::string>& o, const char* element) {
    if (g == nullptr) return;
    if (auto octets = base64_decode(*g)) {
      o = std::move(*octets);
    } else {
      defect(std::string(element) + ": not base64");
    }
  }

  template <class T, class F>
  void part(Boxed<T>& box, F&& fill) {
    fill(box.get_or_make());
  }

  void defect(std::string what) {
    constexpr std::size_t enough = 100;
    if (defects_.size() < enough) defects_.push_back(std::move(what));
  }
  std::vector<std::string> take_defects() { return std::move(defects_); }

 private:
  std::vector<std::string> defects_;
};

/// From ours to generated objects, which it owns.
class Writer {
 public:
  static constexpr bool reading = false;

  template <class G>
  G* make() {
    auto owned = std::make_shared<G>();
    auto* object = owned.get();
    // Strings have no defaults to set; everything else came from soapcpp2 and has.
    if constexpr (requires { object->soap_default(nullptr); }) object->soap_default(nullptr);
    owned_.push_back(std::move(owned));
    return object;
  }
  std::string* text(std::string value) {
    auto* made = make<std::string>();
    *made = std::move(value);
    return made;
  }

  template <HasFieldText T>
  void operator()(std::string*& g, const std::optional<T>& o) {
    if (o) g = text(spell(*o));
  }
  template <HasFieldText T>
  void operator()(std::string& g, const std::optional<T>& o) {
    if (o) {
      g = spell(*o);
    } else {
      fail("missing-element", "a required element has no value");
    }
  }
  template <HasFieldText T>
  void operator()(std::string& g, const T& o) {
    g = spell(o);
  }
  void operator()(std::string*& g, const std::string& o) {
    if (!o.empty()) g = text(spell(o));
  }
  template <class G, class O>
  void operator()(G*& g, const std::optional<O>& o) {
    if (o) map(*this, *(g = make<G>()), *o);
  }
  template <class G, class O>
  void operator()(G*& g, const O& o) {
    map(*this, *(g = make<G>()), o);
  }

  void operator()(ewst__Recipient*& g, const std::optional<EmailAddress>& o) {
    if (o) (*this)((g = make<ewst__Recipient>())->Mailbox, o);
  }
  void operator()(ewst__Recipients*& g, const std::vector<EmailAddress>& o) {
    list(g, &ewst__Recipients::Mailbox, o);
  }
  /// An empty Categories is refused by the server: no values, no element.
  void operator()(ewst__Strings*& g, const std::vector<std::string>& o) {
    if (o.empty()) return;
    g = make<ewst__Strings>();
    for (const auto& value : o) g->String.push_back(spell(value));
  }

  template <class W, class G, class O>
  void list(W*& wrapper, std::vector<G*> W::*member, const std::vector<O>& o) {
    if (o.empty()) return;
    wrapper = make<W>();
    elements(wrapper->*member, o);
  }
  template <class G, class O>
  void elements(std::vector<G*>& g, const std::vector<O>& o) {
    g.reserve(o.size());
    for (const auto& element : o) {
      auto* made = make<G>();
      map(*this, *made, element);
      g.push_back(made);
    }
  }

  void base64(std::string*& g, const std::optional<std::string>& o, const char*) {
    if (o) g = text(base64_encode(*o));
  }

  template <class T, class F>
  void part(const Boxed<T>& box, F&& fill) {
    if (box) fill(*box);
  }

  template <HasFieldText T>
  std::string spell(const T& value) {
    auto spelled = FieldText<T>::write(value);
    if constexpr (MayBeUnwritable<T>)
      if (spelled.empty()) fail("bad-value", "a date or duration that cannot be written");
    return spelled;
  }

  /// The first failure is kept.
  void fail(std::string code, std::string message) {
    if (!failure_)
      failure_ = Error{.domain = ErrorDomain::input, .code = std::move(code), .message = std::move(message)};
  }
  const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  std::deque<std::shared_ptr<void>> owned_;
  std::optional<Error> failure_;
};

}  // namespace syncline::ews::codec
