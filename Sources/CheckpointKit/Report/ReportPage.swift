import JSONText

/// A report as one HTML page that needs nothing else: no network, no other files.
///
/// The data are JSON in the page, in columns; the page's own script, `Report/Page/*.js`, draws them. A
/// policy in the page forbids it to load anything, and no text of a file becomes markup.
public struct ReportPage: Sendable {
  private let data: String
  private let title: String

  /// The page of one checkpoint, or of two and how they differ.
  public init(_ report: Report) {
    var json = JSONWriter()
    report.writePageData(to: &json)
    data = json.text
    title = report.inputs.map(\.path).joined(separator: " → ")
  }

  /// The page of a training run; `title` is what it is called.
  public init(_ report: RunReport, title: String) {
    var json = JSONWriter()
    report.writePageData(title: title, to: &json)
    data = json.text
    self.title = title
  }

  /// The page, in UTF-8.
  public var bytes: [UInt8] {
    var page: [UInt8] = []
    var rest = PackageResources.page_html[...]
    for (mark, content) in [
      ("{title}", Array(Self.escaped(title.escapingControls).utf8)),
      ("{style}", PackageResources.page_css),
      ("{data}", Self.scriptSafe(data)),
      ("{script}", Self.scripts.flatMap { $0 }),
    ] {
      guard let range = rest.firstRange(of: Array(mark.utf8)) else {
        preconditionFailure("the page has no mark \(mark)")
      }
      page += rest[..<range.lowerBound]
      page += content
      rest = rest[range.upperBound...]
    }
    return page + rest
  }

  /// The parts of the script, in the order in which they use each other.
  private static var scripts: [[UInt8]] {
    [
      PackageResources.base_js, PackageResources.model_js, PackageResources.histogram_js,
      PackageResources.heatmap_js, PackageResources.tree_js, PackageResources.table_js,
      PackageResources.report_js, PackageResources.run_js, PackageResources.start_js,
    ]
  }

  /// JSON that no reader of HTML takes for the end of a script: `<` is only in texts, as `\u003c`.
  private static func scriptSafe(_ json: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(json.utf8.count)
    for byte in json.utf8 {
      if byte == UInt8(ascii: "<") { bytes += #"\u003c"#.utf8 } else { bytes.append(byte) }
    }
    return bytes
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
