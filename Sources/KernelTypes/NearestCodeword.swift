/// The code of a vector that has no nearest codeword, because its squared norm is not finite or too large.
package let invalidCode: Int32 = -1

/// Vectors whose scores a search for the nearest codeword holds at once.
package let nearestCodewordsBlock = 64
