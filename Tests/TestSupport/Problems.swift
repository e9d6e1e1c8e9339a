import Diagnostics
import Files
import Testing

/// Expects a problem that names a path, and gives it back for a closer look.
@discardableResult
package func expectProblem(
  _ status: Diagnostics.ExitStatus, about path: String, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> Problem? {
  let problem = #expect(
    throws: Problem.self, comment, sourceLocation: sourceLocation, performing: body)
  guard let problem else { return nil }
  #expect(problem.status == status, comment, sourceLocation: sourceLocation)
  #expect(problem.subject == path, comment, sourceLocation: sourceLocation)
  return problem
}
